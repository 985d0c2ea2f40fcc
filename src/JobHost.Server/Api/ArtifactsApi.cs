using System.ComponentModel;
using System.Text;
using System.Text.Json;
using JobHost.Control;
using JobHost.Execution.Output;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using Microsoft.Net.Http.Headers;

namespace JobHost.Server.Api;

/// <summary>What runs leave: their results, and the files in their folders.</summary>
internal static class ArtifactsApi
{
    private const string Bytes = "application/octet-stream";
    private const string Json = "application/json";

    internal static void MapArtifacts(this IEndpointRouteBuilder routes)
    {
        var runs = routes
            .MapGroup("/api/v1/runs/{id}")
            .WithTag("Artifacts", "What runs leave: their results, and the files in their folders.");
        runs.MapGet("/parameters", ParametersAsync)
            .WithName("GetParameters")
            .WithSummary("Downloads the parameters of a run, also those that are too large for its document.")
            .Produces<JsonElement>(200, Json)
            .Produces<byte[]>(206, Json)
            .Downloads()
            .Refuses(ProblemTypes.UnknownRun);
        runs.MapGet("/result", ResultAsync)
            .WithName("GetResult")
            .WithSummary("Downloads the result of a run, also one that is too large for its document.")
            .Produces<JsonElement>(200, Json)
            .Produces<byte[]>(206, Json)
            .Downloads()
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.NoResult);
        runs.MapGet("/artifacts", ListAsync)
            .WithName("ListArtifacts")
            .WithSummary("Lists the files that a run has left in its folder for artifacts.")
            .WithDescription(
                "At most 10,000. Links and whatever else is no plain file are not shown. `sha256` is there when the run has ended."
            )
            .Produces<ArtifactsContract>()
            .Refuses(ProblemTypes.UnknownRun);
        runs.MapGet("/artifacts/{**path}", DownloadAsync)
            .WithName("GetArtifact")
            .WithSummary("Downloads a file that a run has left; parts of it by `Range`.")
            .Produces<byte[]>(200, Bytes)
            .Produces<byte[]>(206, Bytes)
            .Produces(304)
            .Downloads()
            .TakesHeader("If-None-Match", "The `ETag` of what is known already: 304 if it is still so.")
            .TakesHeader("If-Match", "The `ETag` of the file as it was seen: only if it is still so.")
            .SendsHeader(200, "ETag", "A tag of the content, where the run has ended.")
            .SendsHeader(200, "Repr-Digest", "The SHA-256 of the whole file (RFC 9530), where the run has ended.")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.UnknownArtifact, ProblemTypes.PreconditionFailed);
    }

    private static async Task<IResult> ResultAsync(string id, JobRegistry registry)
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        return run.Result is { } result ? TypedResults.Bytes(Encoding.UTF8.GetBytes(result.GetRawText()), Json)
            : run.ResultFileBytes is not null && registry.OpenResult(run.Id) is { } file
                ? TypedResults.Stream(file, Json, enableRangeProcessing: true)
            : Problems.NoResult();
    }

    private static async Task<IResult> ParametersAsync(string id, JobRegistry registry)
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        return run.LargeParameters is not { } large
                ? TypedResults.Bytes(Encoding.UTF8.GetBytes(run.Parameters?.GetRawText() ?? "{}"), Json)
            : registry.OpenParameters(run.Id) is { } file
                ? TypedResults.Stream(
                    file,
                    Json,
                    entityTag: new EntityTagHeaderValue($"\"{large.Sha256}\""),
                    enableRangeProcessing: true
                )
            : Problems.UnknownRun(id);
    }

    private static async Task<IResult> ListAsync(string id, JobRegistry registry, HttpContext context) =>
        await RunsApi.FindAsync(id, registry) is { } run
            ? TypedResults.Ok(new ArtifactsContract(await registry.ArtifactsAsync(run, context.RequestAborted)))
            : Problems.UnknownRun(id);

    private static async Task<IResult> DownloadAsync(
        string id,
        [Description("As the list has it, with slashes.")] string path,
        JobRegistry registry,
        HttpContext context
    )
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        if (registry.OpenArtifact(run.Id, path) is not { } file)
        {
            return Problems.UnknownArtifact(path);
        }
        var known = run.IsEnded
            ? (await registry.ArtifactsAsync(run, context.RequestAborted)).FirstOrDefault(one => one.Path == path)
            : null;
        if (known?.Sha256 is { } hash)
        {
            // RFC 9530
            context.Response.Headers["Repr-Digest"] =
                $"sha-256=:{Convert.ToBase64String(Convert.FromHexString(hash))}:";
        }
        // As it is, never as a page of this service.
        return TypedResults.Stream(
            file,
            Bytes,
            Path.GetFileName(path),
            known?.ModifiedAt,
            known?.Sha256 is { } tag ? new EntityTagHeaderValue($"\"{tag}\"") : null,
            enableRangeProcessing: true
        );
    }
}

/// <summary>What a run has left.</summary>
/// <param name="Items">By path.</param>
public sealed record ArtifactsContract(IReadOnlyList<Artifact> Items);
