using System.Globalization;
using JobHost.Control;
using JobHost.Execution.Output;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Http;

namespace JobHost.Server.Api;

/// <summary>What runs have printed.</summary>
internal static class LogsApi
{
    private const int DefaultLimit = 1024 * 1024;
    private const int MaxLimit = 16 * 1024 * 1024;
    private const int MaxTail = 100_000;
    private const int ChunkSize = 64 * 1024;
    private static readonly TimeSpan FollowPause = TimeSpan.FromMilliseconds(100);

    internal static void MapLogs(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/api/v1/runs/{id}/logs", ReadAsync)
            .WithTags("Logs")
            .WithName("GetLogs")
            .WithSummary("Reads what a run has printed, as text.")
            .WithDescription(
                "`stream`: `log`, `stdout` or `stderr`; default `stdout` for commands, else `log`. "
                    + "`offset` and `limit` in bytes; the header `JobHost-Next-Offset` tells where to go on. "
                    + "`tail`: only the last so many lines. `follow=true`: goes on until the run has ended."
            )
            .Produces<string>(200, "text/plain")
            .ProducesProblem(404);

    private static async Task<IResult> ReadAsync(
        string id,
        JobRegistry registry,
        JobCatalog catalog,
        TimeProvider time,
        HttpContext context,
        string? stream,
        long? offset,
        int? limit,
        int? tail,
        bool? follow
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
        Require(offset is null || tail is null, "tail", "Give an offset or a tail, not both.");
        if (errors.Count > 0)
        {
            return Problems.MalformedRequest("A parameter is not valid; the errors name it.", errors);
        }

        var response = context.Response;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        var path = registry.OutputFile(run.Id, source!.Value);
        var position = tail is { } lines ? TailOffset(path, lines) : offset ?? 0;
        if (follow == true)
        {
            await FollowAsync(run.Id, path, position, registry, time, response, context.RequestAborted);
            return Results.Empty;
        }
        var end = Math.Min(Length(path), position + (tail is null ? limit ?? DefaultLimit : MaxLimit));
        response.Headers["JobHost-Next-Offset"] = Math.Max(position, end).ToString(CultureInfo.InvariantCulture);
        await CopyAsync(path, position, end, response, context.RequestAborted);
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
        string path,
        long position,
        JobRegistry registry,
        TimeProvider time,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        await response.StartAsync(cancellationToken);
        while (true)
        {
            // Asked before the file is read: what is there then is all, when the run had ended by now.
            var ended = await registry.FindAsync(id) is not { IsEnded: false };
            var end = Length(path);
            await CopyAsync(path, position, end, response, cancellationToken);
            position = Math.Max(position, end);
            if (ended || registry.HasDrained)
            {
                return;
            }
            await response.Body.FlushAsync(cancellationToken);
            await Task.Delay(FollowPause, time, cancellationToken);
        }
    }

    private static async Task CopyAsync(
        string path,
        long from,
        long to,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        if (to <= from)
        {
            return;
        }
        await using var file = Open(path);
        file.Position = from;
        var buffer = new byte[ChunkSize];
        for (var left = to - from; left > 0; )
        {
            var count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken);
            if (count == 0)
            {
                return;
            }
            await response.Body.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            left -= count;
        }
    }

    private static long Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }

    /// <summary>Where the last so many lines begin; a last line without an end counts as one.</summary>
    private static long TailOffset(string path, int lines)
    {
        if (Length(path) == 0)
        {
            return 0;
        }
        using var file = Open(path);
        var buffer = new byte[ChunkSize];
        var end = file.Length;
        var found = 0;
        for (var position = end; position > 0; )
        {
            var size = (int)Math.Min(position, buffer.Length);
            position -= size;
            file.Position = position;
            file.ReadExactly(buffer, 0, size);
            for (var i = size - 1; i >= 0; i--)
            {
                if (buffer[i] == (byte)'\n' && position + i != end - 1 && ++found == lines)
                {
                    return position + i + 1;
                }
            }
        }
        return lines == 0 ? end : 0;
    }

    private static FileStream Open(string path) =>
        new(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0,
            useAsync: true
        );
}
