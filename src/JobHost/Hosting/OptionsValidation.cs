using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace JobHost.Hosting;

/// <summary>Checks options by their attributes, nested ones included, and names the key that is wrong.</summary>
public static class OptionsValidation
{
    /// <exception cref="JobConfigurationException">A value is not valid.</exception>
    public static void Validate(object options, string section)
    {
        ArgumentNullException.ThrowIfNull(options);
        var results = new List<ValidationResult>();
        if (!Validator.TryValidateObject(options, new(options), results, validateAllProperties: true))
        {
            throw new JobConfigurationException(
                $"{section}: {string.Join(" ", results.Select(result => result.ErrorMessage))}"
            );
        }
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (
                property.PropertyType.Name.EndsWith("Options", StringComparison.Ordinal)
                && property.GetValue(options) is { } nested
            )
            {
                Validate(nested, $"{section}:{property.Name}");
            }
        }
    }
}
