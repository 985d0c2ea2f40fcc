using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;

namespace JobHost.Worker.Bodies;

/// <summary>
/// Turns the JSON parameters of a run into what its code takes, or into messages that name the field. Types are checked by
/// <see cref="JobJson"/>, values by their <c>System.ComponentModel.DataAnnotations</c> attributes, nested ones included.
/// </summary>
internal abstract class ParametersReader
{
    private static readonly JsonSchemaExporterOptions SchemaOptions = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = Annotate,
    };

    private static readonly JsonElement EmptyObject = JsonDocument.Parse("{}").RootElement.Clone();

    internal abstract JsonNode Schema { get; }

    internal static ParametersReader ForType(Type type) => new WholeParametersReader(type);

    internal static ParametersReader ForNames(IReadOnlyList<ParameterInfo> parameters) =>
        new NamedParametersReader(parameters);

    /// <summary>Whether a method's parameter of this type is one value of the run's parameters.</summary>
    internal static bool IsSimple(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsPrimitive
            || type.IsEnum
            || type == typeof(string)
            || type == typeof(decimal)
            || type == typeof(Guid)
            || type == typeof(Uri)
            || type == typeof(DateTime)
            || type == typeof(DateTimeOffset)
            || type == typeof(DateOnly)
            || type == typeof(TimeOnly)
            || type == typeof(TimeSpan)
            || type == typeof(JsonElement)
            || (type.IsArray && IsSimple(type.GetElementType()!));
    }

    internal object? Read(JsonElement parameters, out IReadOnlyDictionary<string, string[]> errors)
    {
        if (parameters.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            parameters = EmptyObject;
        }
        var found = new FieldErrors();
        object? value = null;
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            found.Add("", "The parameters must be a JSON object.");
        }
        else
        {
            value = ReadObject(parameters, found);
        }
        errors = found.ToDictionary();
        return errors.Count == 0 ? value : null;
    }

    protected abstract object? ReadObject(JsonElement parameters, FieldErrors errors);

    protected static JsonNode SchemaOf(Type type) => JobJson.Options.GetJsonSchemaAsNode(type, SchemaOptions);

    protected static object? Deserialize(JsonElement json, Type type, string path, FieldErrors errors)
    {
        try
        {
            return json.Deserialize(type, JobJson.Options);
        }
        catch (JsonException problem)
        {
            AddProblem(errors, Join(path, problem.Path), problem);
        }
        catch (Exception problem)
            when (problem is NotSupportedException or ArgumentException or FormatException or OverflowException)
        {
            errors.Add(path, "The value cannot be read.");
        }
        return null;
    }

    private static JsonNode Annotate(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (context.PropertyInfo?.AttributeProvider is { } member && schema is JsonObject node)
        {
            SchemaAttributes.Apply(
                node,
                member is PropertyInfo property ? AttributesOf(property) : member.GetCustomAttributes(inherit: true)
            );
        }
        return schema;
    }

    // An attribute on a positional record's parameter belongs to the parameter, though its author means the property.
    protected static IEnumerable<object> AttributesOf(PropertyInfo property) =>
        property
            .DeclaringType!.GetConstructors()
            .SelectMany(constructor => constructor.GetParameters())
            .Where(parameter => parameter.Name == property.Name && parameter.ParameterType == property.PropertyType)
            .SelectMany(parameter => parameter.GetCustomAttributes(inherit: true))
            .Concat(property.GetCustomAttributes(inherit: true));

    protected static void Check(
        object? value,
        string name,
        IEnumerable<ValidationAttribute> attributes,
        FieldErrors errors
    )
    {
        var results = new List<ValidationResult>();
        var context = new ValidationContext(value ?? "") { MemberName = name, DisplayName = name };
        try
        {
            Validator.TryValidateValue(value!, context, results, attributes);
        }
        catch (RegexMatchTimeoutException)
        {
            results.Add(new("The value could not be matched in time."));
        }
        foreach (var result in results)
        {
            errors.Add(name, result.ErrorMessage ?? "The value is not valid.");
        }
    }

    // The serialiser's own words name .NET types and byte positions, which mean nothing to whoever wrote the JSON.
    // They are told apart by how they begin: further on they quote names, which can be anything.
    private static void AddProblem(FieldErrors errors, string path, JsonException problem)
    {
        var message = problem.Message;
        if (message.StartsWith("JSON deserialization for type", StringComparison.Ordinal))
        {
            // ... 'TYPE' was missing required properties including: 'NAME', 'NAME'.
            var missing = message.Split('\'').Where((_, index) => index % 2 == 1).Skip(1).ToList();
            missing.ForEach(name => errors.Add(Join(path, name), "The parameter is required."));
            if (missing.Count > 0)
            {
                return;
            }
        }
        var words =
            message.StartsWith("The JSON property", StringComparison.Ordinal) ? "There is no such parameter."
            : message.StartsWith("Duplicate property", StringComparison.Ordinal) ? "The parameter is given twice."
            : message.Contains(" allow null ", StringComparison.Ordinal) ? "The value may not be null."
            : "The value has the wrong type or is out of range.";
        errors.Add(path, words);
    }

    protected static string Join(string path, string? jsonPath)
    {
        var tail = jsonPath?.TrimStart('$').TrimStart('.') ?? "";
        return path.Length == 0 ? tail
            : tail.Length == 0 ? path
            : tail[0] == '[' ? path + tail
            : $"{path}.{tail}";
    }
}
