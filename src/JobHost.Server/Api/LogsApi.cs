using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using JobHost.Control;
using JobHost.Execution.Output;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Http;
using JobHost.Server.Logs;
using JobHost.Server.OpenApi;

namespace JobHost.Server.Api;

/// <summary>What runs have printed.</summary>
internal static class LogsApi
{
    private const int DefaultLimit = 1024 * 1024;
    private const int MaxLimit = 16 * 1024 * 1024;
    private const int MaxTail = 100_000;

    // A stream must not be silent for longer than its keep-alive, and is asked so often whether it is.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);

    internal static void MapLogs(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/api/v1/runs/{id}/logs", ReadAsync)
            .WithTag("Logs", "What runs have printed.")
            .WithName("GetLogs")
            .WithSummary("Reads what a run has printed.")
            .WithDescription(
                "By `Accept`: `text/plain`, the bytes as they were printed; `application/x-ndjson`, a JSON object for each line; "
                    + "`text/event-stream`, the same as events, followed unless `follow=false`: `Last-Event-ID` goes on after the last "
                    + "line that was received, and answers 204 when the run has ended and nothing is left. "
                    + "`stream`: `log`, `stdout` or `stderr`; default `stdout` for commands, else `log`. "
                    + "`offset` and `limit` in bytes; the header `JobHost-Next-Offset` tells where to go on. "
                    + "`tail`: only the last so many lines. `follow=true`: goes on until the run has ended."
            )
            .Produces<string>(200, "text/plain", LogForm.Lines, EventStream.MediaType)
            .Produces(204)
            .Resumes()
            .SendsHeader(200, "JobHost-Next-Offset", "Where to go on, where it does not follow.", isNumber: true)
            .Refuses(ProblemTypes.UnknownRun);

    private static async Task<IResult> ReadAsync(
        string id,
        JobRegistry registry,
        JobCatalog catalog,
        LogWatches watches,
        TimeProvider time,
        HttpContext context,
        [OneOf("log", "stdout", "stderr"), Description("Which; `stdout` of a command, else `log`, where it is absent.")]
            string? stream,
        [Range(typeof(long), "0", "9223372036854775807"), Description("From which byte on.")] long? offset,
        [Range(1, MaxLimit), Description("How many bytes at most; 1 MiB where it is absent.")] int? limit,
        [Range(0, MaxTail), Description("Only so many of the last lines; not with `offset`.")] int? tail,
        [Description("Whether to go on until the run has ended.")] bool? follow
    )
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        OutputStream? source = (stream ?? (catalog.Find(run.Job)?.IsCommand == true ? "stdout" : "log")) switch
        {
            "log" => OutputStream.Log,
            "stdout" => OutputStream.Stdout,
            "stderr" => OutputStream.Stderr,
            _ => null,
        };
        Require(source is not null, "stream", "The stream is log, stdout or stderr.");
        Require(offset is null or >= 0, "offset", "The offset is 0 or more.");
        Require(limit is null or (>= 1 and <= MaxLimit), "limit", $"The limit is 1 to {MaxLimit}.");
        Require(tail is null or (>= 0 and <= MaxTail), "tail", $"The tail is 0 to {MaxTail} lines.");
        Require(
            EventStream.TryReadLastId(context.Request, out var lastId),
            "Last-Event-ID",
            "It is the id of an event, a number."
        );
        Require(offset is null || tail is null, "tail", "Give an offset or a tail, not both.");
        if (errors.Count > 0)
        {
            return Problems.MalformedRequest("A parameter is not valid; the errors name it.", errors);
        }

        var file = new LogFile(registry.OutputFile(run.Id, source!.Value));
        var position = lastId ?? (tail is { } lines ? file.TailOffset(lines) : offset ?? 0);
        if (follow ?? EventStream.IsWanted(context.Request))
        {
            if (run.IsEnded && lastId is not null && position >= file.Length)
            {
                return TypedResults.NoContent();
            }
            await FollowAsync(run.Id, file, position, watches, time, context);
            return Results.Empty;
        }
        var end = Math.Min(file.Length, position + (tail is null ? limit ?? DefaultLimit : MaxLimit));
        if (end <= position && await RunsApi.FindAsync(id, registry) is null)
        {
            // Removed meanwhile: a log that is gone must not look like an empty one.
            return Problems.UnknownRun(id);
        }
        var form = LogForm.Of(context, file);
        context.Response.Headers["JobHost-Next-Offset"] = Math.Max(position, end)
            .ToString(CultureInfo.InvariantCulture);
        try
        {
            await form.BeginAsync(position);
            await form.WriteAsync(position, end, isLast: true);
        }
        catch (IOException gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // The run was removed while its log was read: no part must look like the whole.
            context.Abort();
        }
        catch (OperationCanceledException)
        {
            // The client has left, or took nothing for so long that it was cut off.
        }
        return Results.Empty;

        void Require(bool good, string field, string message)
        {
            if (!good)
            {
                errors[field] = [message];
            }
        }
    }

    private static async Task FollowAsync(
        RunId id,
        LogFile file,
        long position,
        LogWatches watches,
        TimeProvider time,
        HttpContext context
    )
    {
        var form = LogForm.Of(context, file);
        try
        {
            await form.BeginAsync(position);
            using var watch = watches.Enter(id, file);
            while (true)
            {
                var (known, more) = await watch.NowAsync(context.RequestAborted);
                if (known.IsGone)
                {
                    await form.CloseAsync(StreamEnd.RunDeleted);
                    return;
                }
                position = await form.WriteAsync(position, known.Length, known.IsOver);
                if (known.IsOver)
                {
                    return;
                }
                if (known.Leaves)
                {
                    await form.CloseAsync(StreamEnd.ServerLeaving);
                    return;
                }
                await more.WaitAsync(LongestSilence, time, context.RequestAborted)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                context.RequestAborted.ThrowIfCancellationRequested();
            }
        }
        catch (IOException gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // The run was removed while its log was read.
            await form.CloseAsync(StreamEnd.RunDeleted);
        }
        catch (OperationCanceledException)
        {
            // The client has left, or took nothing for so long that it was cut off.
        }
    }
}
