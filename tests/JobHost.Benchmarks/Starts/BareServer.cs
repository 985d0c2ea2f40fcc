using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace JobHost.Benchmarks.Starts;

/// <summary>The least that a service could be which answers a start over HTTP: it reads the body, and does nothing.</summary>
internal static class BareServer
{
    internal const string Verb = "bare";
    internal const string Path = "/start";

    internal static async Task<int> RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.ConfigureHttpJsonOptions(json =>
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, BareJson.Default)
        );
        await using var app = builder.Build();
        app.MapPost(
            Path,
            (BareStart start) =>
                TypedResults.Accepted((string?)null, new BareAnswer(Guid.CreateVersion7(), start.Parameters))
        );
        await app.RunAsync();
        return 0;
    }
}

internal sealed record BareStart(JsonElement? Parameters);

internal sealed record BareAnswer(Guid Id, JsonElement? Parameters);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(BareStart))]
[JsonSerializable(typeof(BareAnswer))]
internal sealed partial class BareJson : JsonSerializerContext;
