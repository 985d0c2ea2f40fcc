using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;

namespace JobHost.Server.OpenApi;

/// <summary>How types are called in the document: a <c>RunContract</c> is a <c>Run</c>, a page of them a <c>PageOfRun</c>.</summary>
internal static class SchemaNames
{
    internal static string? Of(JsonTypeInfo type) =>
        OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } name ? Of(name) : null;

    internal static string Of(string type) => type.Replace("Contract", "", StringComparison.Ordinal);
}
