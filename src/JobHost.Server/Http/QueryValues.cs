using System.Globalization;
using Microsoft.AspNetCore.Http.Metadata;

namespace JobHost.Server.Http;

/// <summary>
/// Takes for a value of the query only what the document says is one, and names the others: binding would take whatever .NET
/// can read, such as a time of today for an instant, and names nothing.
/// </summary>
internal static class QueryValues
{
    private static readonly Dictionary<Type, Func<string, bool>> Forms = new()
    {
        [typeof(int)] = text => int.TryParse(text, CultureInfo.InvariantCulture, out _),
        [typeof(long)] = text => long.TryParse(text, CultureInfo.InvariantCulture, out _),
        [typeof(bool)] = text => bool.TryParse(text, out _),
        [typeof(Guid)] = text => Guid.TryParseExact(text, "D", out _),
        [typeof(DateTimeOffset)] = text =>
            InstantConverter.IsInstant(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
    };

    internal static ValueTask<object?> CheckAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var context = invocation.HttpContext;
        if (!context.Request.QueryString.HasValue)
        {
            return next(invocation);
        }
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var parameter in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            var type = parameter.ParameterInfo.ParameterType;
            if (
                context.Request.Query[parameter.Name].ToString() is { Length: > 0 } text
                && Forms.TryGetValue(Nullable.GetUnderlyingType(type) ?? type, out var isOfForm)
                && !isOfForm(text)
            )
            {
                errors[parameter.Name] =
                [
                    isOfForm == Forms[typeof(DateTimeOffset)]
                        ? "The value is an instant as of RFC 3339, such as 2026-01-31T12:00:00Z."
                        : "The value does not fit here.",
                ];
            }
        }
        return errors.Count == 0
            ? next(invocation)
            : new(Problems.MalformedRequest("A parameter is not valid; the errors name it.", errors));
    }
}
