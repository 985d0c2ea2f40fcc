using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using JobHost.Benchmarks.Nodes;
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
    internal const string Stream = "/stream";
    internal const string Go = "/go";

    private const int LinesAtOnce = 100;

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
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.MapPost(
            Go,
            () => Interlocked.Exchange(ref go, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult()
        );
        app.MapGet(Stream, context => SendLinesAsync(context.Response, go.Task));
        await app.RunAsync();
        return 0;
    }

    /// <summary>As server-sent events, in pieces that are as large as those in which a log is read.</summary>
    private static async Task SendLinesAsync(HttpResponse response, Task go)
    {
        response.ContentType = "text/event-stream";
        await response.Body.FlushAsync();
        await go;
        var piece = Encoding.ASCII.GetBytes(
            string.Concat(Enumerable.Repeat($"id: 1000000\ndata: {BenchmarkJobs.Line}\n\n", LinesAtOnce))
        );
        for (var sent = 0; sent < BenchmarkJobs.LineCount; sent += LinesAtOnce)
        {
            await response.Body.WriteAsync(piece);
        }
    }
}

internal sealed record BareStart(JsonElement? Parameters);

internal sealed record BareAnswer(Guid Id, JsonElement? Parameters);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(BareStart))]
[JsonSerializable(typeof(BareAnswer))]
internal sealed partial class BareJson : JsonSerializerContext;
