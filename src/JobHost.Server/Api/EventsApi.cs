using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using JobHost.Storage;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace JobHost.Server.Api;

/// <summary>What happens: a list of what has happened, or a stream that goes on.</summary>
internal static class EventsApi
{
    // How soon the stream of a run notices an end that it is not told, as it was asked for what comes after.
    private static readonly TimeSpan RunPatience = TimeSpan.FromSeconds(2);

    private const string HowToFollow =
        "With `Accept: text/event-stream` a stream of server-sent events, each with its id: `Last-Event-ID` goes on after the "
        + "last one that was received, without a gap and without a repetition, also after a restart of the server. Otherwise a page "
        + "of a list, the oldest first; `pageToken` goes on.";

    internal static void MapEvents(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/api/v1/events", AllAsync)
            .WithTag("Events", "What happens: a list of what has happened, or a stream that goes on.")
            .WithName("ListEvents")
            .WithSummary("Tells what happens to runs, jobs, nodes and schedules.")
            .WithDescription(
                HowToFollow
                    + " A stream without `Last-Event-ID` begins now. `topic`: `run`, `job`, `node`, `schedule`, several with commas between; `job`: only runs of this job."
            )
            .Produces<PageContract<EventContract>>(200, "application/json", EventStream.MediaType)
            .Resumes()
            .Refuses(ProblemTypes.InvalidPageToken);
        routes
            .MapGet("/api/v1/runs/{id}/events", OfRunAsync)
            .WithTag("Events", "What happens: a list of what has happened, or a stream that goes on.")
            .WithName("ListRunEvents")
            .WithSummary("Tells what happens to a run.")
            .WithDescription(
                HowToFollow
                    + " A stream without `Last-Event-ID` begins with the run's first event; it ends with the run, and answers 204 to whoever has its last event, at which clients do not come back."
            )
            .Produces<PageContract<EventContract>>(200, "application/json", EventStream.MediaType)
            .Produces(204)
            .Resumes()
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.InvalidPageToken);
    }

    private static Task<IResult> AllAsync(
        JobRegistry registry,
        HttpContext context,
        [RegularExpression("^(run|job|node)(,(run|job|node))*$"), Description("With commas between.")] string? topic,
        [Description("Only events of runs of this job.")] string? job,
        [Range(1, Paging.MaxSize), Description(Paging.SizeWords)] int? pageSize,
        [Description(Paging.TokenWords)] string? pageToken
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var query = new EventQuery
        {
            Job = job,
            Jobs = Caller.Of(context).Jobs,
            Topics = Topics(topic, errors),
        };
        return AnswerAsync(query, run: null, registry, context, pageSize, pageToken, errors);
    }

    private static async Task<IResult> OfRunAsync(
        string id,
        JobRegistry registry,
        HttpContext context,
        [Range(1, Paging.MaxSize), Description(Paging.SizeWords)] int? pageSize,
        [Description(Paging.TokenWords)] string? pageToken
    )
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        return await AnswerAsync(new() { Run = run.Id }, run, registry, context, pageSize, pageToken, errors);
    }

    private static async Task<IResult> AnswerAsync(
        EventQuery query,
        Run? run,
        JobRegistry registry,
        HttpContext context,
        int? pageSize,
        string? pageToken,
        SortedDictionary<string, string[]> errors
    )
    {
        if (pageSize is < 1 or > Paging.MaxSize)
        {
            errors["pageSize"] = [$"The page size is 1 to {Paging.MaxSize}."];
        }
        if (!EventStream.TryReadLastId(context.Request, out var lastId))
        {
            errors["Last-Event-ID"] = ["It is the id of an event, a number."];
        }
        if (errors.Count > 0)
        {
            return Problems.MalformedRequest("A parameter is not valid; the errors name it.", errors);
        }
        if (EventStream.IsWanted(context.Request))
        {
            query = query with { After = lastId ?? (run is null ? registry.Events.Last : 0) };
            if (run is { IsEnded: true } && await IsAtEndAsync(query, registry))
            {
                return TypedResults.NoContent();
            }
            await FollowAsync(query, registry, context);
            return Results.Empty;
        }
        long after = 0;
        if (
            pageToken is not null
            && !long.TryParse(pageToken, NumberStyles.None, CultureInfo.InvariantCulture, out after)
        )
        {
            return Problems.InvalidPageToken();
        }
        query = query with { After = after, Limit = pageSize ?? Paging.DefaultSize };
        var (events, _) = await registry.Events.NextAsync(query, TimeSpan.Zero, context.RequestAborted);
        return TypedResults.Ok(
            new PageContract<EventContract>(
                [.. events.Select(EventContract.Of)],
                events.Count == query.Limit ? events[^1].Sequence.ToString(CultureInfo.InvariantCulture) : null
            )
        );
    }

    private static async Task<bool> IsAtEndAsync(EventQuery query, JobRegistry registry) =>
        (await registry.Events.NextAsync(query, TimeSpan.Zero, CancellationToken.None)).Events.Count == 0;

    private static async Task FollowAsync(EventQuery query, JobRegistry registry, HttpContext context)
    {
        var json = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        var document = (JsonTypeInfo<EventContract>)json.GetTypeInfo(typeof(EventContract));
        try
        {
            var stream = await EventStream.BeginAsync(context, query.After);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stream.Aborted, registry.Drained);
            while (true)
            {
                // Both asked before: what is there then is all that this server tells, or all that the run has to tell.
                var isLeft = registry.HasDrained;
                var end = query.Run is { } run ? await EndAsync(run, registry) : null;
                var patience =
                    isLeft || end is not null ? TimeSpan.Zero
                    : query.Run is null ? EventStream.KeepAlive
                    : RunPatience;
                var (events, position) = await registry.Events.NextAsync(query, patience, ending.Token);
                stream.Aborted.ThrowIfCancellationRequested();
                query = query with { After = position };
                if (await TellAsync(stream, events, document, query.Run is not null))
                {
                    return;
                }
                if (events.Count > 0)
                {
                    continue;
                }
                if (isLeft || end is not null)
                {
                    await (
                        end is { IsDeleted: true } ? stream.CloseAsync(StreamEnd.RunDeleted)
                        : isLeft && end is null ? stream.CloseAsync(StreamEnd.ServerLeaving)
                        : Task.CompletedTask
                    );
                    return;
                }
                if (stream.IsSilent)
                {
                    stream.AddKeepAlive();
                    await stream.FlushAsync();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The client has left, or took nothing for so long that it was cut off.
        }
    }

    /// <returns>Whether the last of them is the last that a run tells.</returns>
    private static async Task<bool> TellAsync(
        EventStream stream,
        IReadOnlyList<RecordedEvent> events,
        JsonTypeInfo<EventContract> document,
        bool isOfRun
    )
    {
        var isEnd = false;
        foreach (var recorded in events)
        {
            stream.Add(recorded.Sequence, recorded.Type, EventContract.Of(recorded), document);
            isEnd |= isOfRun && recorded.State is { } state && Transitions.IsFinal(state);
            if (stream.IsFull)
            {
                await stream.FlushAsync();
            }
        }
        if (stream.HasPending)
        {
            await stream.FlushAsync();
        }
        return isEnd;
    }

    /// <summary>Whether a run tells nothing more: its last event may be before the place that a reader began at, or be removed.</summary>
    private static async Task<RunEnd?> EndAsync(RunId id, JobRegistry registry) =>
        await registry.FindAsync(id) switch
        {
            null => new(IsDeleted: true),
            { IsEnded: true } => new(IsDeleted: false),
            _ => null,
        };

    private sealed record RunEnd(bool IsDeleted);

    private static List<EventTopic> Topics(string? text, SortedDictionary<string, string[]> errors)
    {
        var topics = new List<EventTopic>();
        foreach (var name in text?.Split(',') ?? [])
        {
            if (Enum.TryParse<EventTopic>(name, ignoreCase: true, out var topic) && name.All(char.IsAsciiLetterLower))
            {
                topics.Add(topic);
            }
            else
            {
                errors["topic"] = ["One or more of run, job, node, schedule, with commas between."];
            }
        }
        return topics;
    }
}
