using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Worker.Bodies;

/// <summary>All parameters in one record or class.</summary>
internal sealed class WholeParametersReader(Type type) : ParametersReader
{
    internal override JsonNode Schema { get; } = SchemaOf(type);

    protected override object? ReadObject(JsonElement parameters, FieldErrors errors)
    {
        var value = Deserialize(parameters, type, "", errors);
        if (value is not null)
        {
            Validate(value, "", errors, depth: 0);
        }
        return value;
    }

    private static void Validate(object value, string path, FieldErrors errors, int depth)
    {
        foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length > 0)
            {
                continue;
            }
            var name = Join(path, JsonNamingPolicy.CamelCase.ConvertName(property.Name));
            var member = property.GetValue(value);
            Check(member, name, AttributesOf(property).OfType<ValidationAttribute>(), errors);
            if (member is not null && depth < JobJson.Options.MaxDepth)
            {
                ValidateNested(member, name, errors, depth + 1);
            }
        }
        if (value is IValidatableObject validatable)
        {
            foreach (var result in validatable.Validate(new ValidationContext(value)))
            {
                var member = JsonNamingPolicy.CamelCase.ConvertName(result.MemberNames.FirstOrDefault() ?? "");
                errors.Add(Join(path, member), result.ErrorMessage ?? "The value is not valid.");
            }
        }
    }

    private static void ValidateNested(object member, string name, FieldErrors errors, int depth)
    {
        var type = member.GetType();
        if (IsSimple(type) || member is JsonNode or JsonElement)
        {
            return;
        }
        if (member is not IEnumerable items)
        {
            Validate(member, name, errors, depth);
            return;
        }
        if (member is IDictionary entries)
        {
            foreach (DictionaryEntry entry in entries)
            {
                if (entry.Value is { } value)
                {
                    ValidateNested(value, $"{name}.{entry.Key}", errors, depth);
                }
            }
            return;
        }
        var index = 0;
        foreach (var item in items)
        {
            if (item is not null)
            {
                ValidateNested(item, $"{name}[{index}]", errors, depth);
            }
            index++;
        }
    }
}
