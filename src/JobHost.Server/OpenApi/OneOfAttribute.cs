using System.Text.Json;

namespace JobHost.Server.OpenApi;

/// <summary>Says which texts a parameter or member takes. It only tells: the handler reads them.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
internal sealed class OneOfAttribute : Attribute
{
    public OneOfAttribute(params string[] values) => Values = values;

    /// <summary>The names of an enumeration, as they are written in JSON.</summary>
    public OneOfAttribute(Type names) =>
        Values = [.. Enum.GetNames(names).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    public IReadOnlyList<string> Values { get; }
}
