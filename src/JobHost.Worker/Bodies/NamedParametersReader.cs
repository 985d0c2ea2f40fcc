using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Worker.Bodies;

/// <summary>Each parameter of a method by its name.</summary>
internal sealed class NamedParametersReader(IReadOnlyList<ParameterInfo> parameters) : ParametersReader
{
    private readonly List<(ParameterInfo Info, string Name, bool Nullable)> names =
    [
        .. parameters.Select(p => (p, JsonNamingPolicy.CamelCase.ConvertName(p.Name!), MayBeNull(p))),
    ];

    internal override JsonNode Schema => BuildSchema();

    protected override object? ReadObject(JsonElement json, FieldErrors errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in json.EnumerateObject())
        {
            if (JobJson.NameOf(property) is not { } given)
            {
                errors.Add("", "A name is no valid text.");
                return null;
            }
            if (!seen.Add(given))
            {
                errors.Add(given, "The parameter is given twice.");
            }
            else if (!names.Exists(name => name.Name == given))
            {
                errors.Add(given, "There is no such parameter.");
            }
        }
        return names.ConvertAll(parameter => ReadOne(json, parameter, errors)).ToArray();
    }

    private static object? ReadOne(
        JsonElement json,
        (ParameterInfo Info, string Name, bool Nullable) parameter,
        FieldErrors errors
    )
    {
        var (info, name, nullable) = parameter;
        if (!json.TryGetProperty(name, out var element))
        {
            if (info.HasDefaultValue)
            {
                return DefaultOf(info);
            }
            if (!nullable)
            {
                errors.Add(name, "The parameter is required.");
            }
            return null;
        }
        if (element.ValueKind == JsonValueKind.Null && !nullable)
        {
            errors.Add(name, "The value may not be null.");
            return null;
        }
        var value = Deserialize(element, info.ParameterType, name, errors);
        Check(value, name, info.GetCustomAttributes<ValidationAttribute>(), errors);
        return value;
    }

    private JsonObject BuildSchema()
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var (info, name, nullable) in names)
        {
            var node = SchemaOf(info.ParameterType);
            if (node is JsonObject schema)
            {
                if (!nullable && schema["type"] is JsonArray types && types.Count == 2)
                {
                    schema["type"] = types.First(type => type!.GetValue<string>() != "null")!.DeepClone();
                }
                else if (nullable && schema["type"] is JsonValue type)
                {
                    schema["type"] = new JsonArray(type.DeepClone(), "null");
                }
                SchemaAttributes.Apply(schema, info.GetCustomAttributes(inherit: true));
                if (info.HasDefaultValue && DefaultOf(info) is { } given)
                {
                    schema["default"] = JsonSerializer.SerializeToNode(given, JobJson.Options);
                }
            }
            properties[name] = node;
            if (!info.HasDefaultValue && !nullable)
            {
                required.Add(name);
            }
        }
        var whole = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0)
        {
            whole["required"] = required;
        }
        whole["additionalProperties"] = false;
        return whole;
    }

    // Reflection gives the default of a nullable enum as its number.
    private static object? DefaultOf(ParameterInfo parameter) =>
        parameter.DefaultValue is { } value
        && Nullable.GetUnderlyingType(parameter.ParameterType) is { IsEnum: true } type
            ? Enum.ToObject(type, value)
            : parameter.DefaultValue;

    private static bool MayBeNull(ParameterInfo parameter) =>
        Nullable.GetUnderlyingType(parameter.ParameterType) is not null
        || (
            !parameter.ParameterType.IsValueType
            && new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable
        );
}
