using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using JobHost.Control;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>Talking to a run: messages both ways with code, input for commands.</summary>
internal static class MessagesApi
{
    private const int MaxLimit = 1000;
    private const int DefaultLimit = 100;

    internal static void MapMessages(this IEndpointRouteBuilder routes)
    {
        var runs = routes
            .MapGroup("/api/v1/runs/{id}")
            .WithTag("Messages", "Talking to a run: messages both ways with code, input for commands.");
        runs.MapPost("/messages", SendAsync)
            .WithName("SendMessage")
            .WithSummary("Sends JSON to the code of a run, which receives it in its turn.")
            .WithDescription(
                "Kept until it is received, by whichever attempt does so. At most 1,000 messages and 4 MiB wait for a run."
            )
            .WithExample("""{ "message": { "page": 7, "skip": true } }""")
            .Refuses(
                ProblemTypes.UnknownRun,
                ProblemTypes.RunAlreadyEnded,
                ProblemTypes.NotSupportedForKind,
                ProblemTypes.InvalidParameters,
                ProblemTypes.MailboxFull
            )
            .Needs(Role.Operator);
        runs.MapGet("/messages", ListAsync)
            .WithName("ListMessages")
            .WithSummary("Shows what a run has said, or what waits for it.")
            .WithDescription(
                "`after`: only those with a higher number. `direction=in`: what was sent to the run and not received yet. "
                    + "`Prefer: wait=SECONDS`: answers when the run has said something, has ended, or the time is over."
            )
            .Waits()
            .Refuses(ProblemTypes.UnknownRun);
        runs.MapDelete("/messages", TakeAsync)
            .WithName("TakeMessages")
            .WithSummary("Removes what a run has said, through a number, and so makes room for more.")
            .Refuses(ProblemTypes.UnknownRun)
            .Needs(Role.Operator);
        runs.MapPost("/input", FeedAsync)
            .Accepts<byte[]>("application/octet-stream", "text/plain")
            .WithName("SendInput")
            .WithSummary("Feeds bytes to the standard input of a command.")
            .WithDescription(
                "For commands whose `TakesInput` is set. Up to 64 KiB, as they are. `end=true`: nothing follows, the input is closed."
            )
            .Refuses(
                ProblemTypes.UnknownRun,
                ProblemTypes.RunAlreadyEnded,
                ProblemTypes.NotSupportedForKind,
                ProblemTypes.InvalidParameters,
                ProblemTypes.MailboxFull
            )
            .Needs(Role.Operator);
    }

    private static async Task<Results<Accepted<MessageContract>, ProblemHttpResult>> SendAsync(
        string id,
        MessageBody body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var bytes = TextOf(body);
        if (bytes is null or { Length: > RunMessage.MaxBytes })
        {
            return Problems.InvalidParameters(
                new Dictionary<string, string[]>(StringComparer.Ordinal)
                {
                    ["message"] = [$"A message is JSON of at most {RunMessage.MaxBytes} bytes of UTF-8."],
                }
            );
        }
        return Answer(id, await PostAsync(id, bytes, isInput: false, registry, context), isInput: false, context);
    }

    private static async Task<Results<Accepted<MessageContract>, ProblemHttpResult>> FeedAsync(
        string id,
        JobRegistry registry,
        HttpContext context,
        [Description("Whether nothing follows.")] bool? end
    )
    {
        if (context.Request.ContentType?.Split(';')[0].Trim() is not ("application/octet-stream" or "text/plain"))
        {
            return Problems.NotBytes();
        }
        // No more than is of use, however much bodies may have.
        var buffer = new byte[RunMessage.MaxBytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(
            buffer,
            buffer.Length,
            throwOnEndOfStream: false,
            context.RequestAborted
        );
        var bytes = buffer[..length];
        if (bytes.Length > RunMessage.MaxBytes || (bytes.Length == 0 && end != true))
        {
            return Problems.InvalidParameters(
                new Dictionary<string, string[]>(StringComparer.Ordinal)
                {
                    [""] = [$"Input has 1 to {RunMessage.MaxBytes} bytes, or none with end=true."],
                }
            );
        }
        var result = bytes.Length == 0 ? null : await PostAsync(id, bytes, isInput: true, registry, context);
        if (end == true && result is null or SendResult.Sent)
        {
            result = await PostAsync(id, [], isInput: true, registry, context);
        }
        return Answer(id, result!, isInput: true, context);
    }

    private static async Task<Results<Ok<MessagesContract>, ProblemHttpResult>> ListAsync(
        string id,
        JobRegistry registry,
        JobCatalog catalog,
        HttpContext context,
        [Range(typeof(long), "0", "9223372036854775807"), Description("Only those with a higher number.")] long? after,
        [Range(1, MaxLimit), Description("How many at most; 100 where it is absent.")] int? limit,
        [OneOf("in", "out"), Description("To the run, or from it; `out` where it is absent.")] string? direction
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        if (after < 0)
        {
            errors["after"] = ["A number of 0 or more."];
        }
        if (limit is < 1 or > MaxLimit)
        {
            errors["limit"] = [$"The limit is 1 to {MaxLimit}."];
        }
        if (direction is not (null or "in" or "out"))
        {
            errors["direction"] = ["The direction is 'in' or 'out'."];
        }
        if (errors.Count > 0)
        {
            return Problems.MalformedRequest("A parameter is not valid; the errors name it.", errors);
        }
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        var count = limit ?? DefaultLimit;
        if (direction == "in")
        {
            var isInput = catalog.Find(run.Job)?.IsCommand == true;
            var waiting = await registry.MessagesAsync(run.Id, MessageWay.In, after ?? 0, count);
            return TypedResults.Ok(
                new MessagesContract([.. waiting.Select(message => MessageContract.Of(message, isInput))])
            );
        }
        var wait = Preferences.Wait(context.Request);
        var said = await registry.NextMessagesAsync(
            run.Id,
            after ?? 0,
            count,
            wait ?? TimeSpan.Zero,
            context.RequestAborted
        );
        if (wait is { } patience)
        {
            Preferences.Applied(context.Response, patience);
        }
        return TypedResults.Ok(
            new MessagesContract([.. said.Select(message => MessageContract.Of(message, isInput: false))])
        );
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> TakeAsync(
        string id,
        JobRegistry registry,
        [Description("The number of the last one that is removed.")] long through
    )
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        await registry.TakeMessagesAsync(run.Id, through);
        return TypedResults.NoContent();
    }

    private static async Task<SendResult> PostAsync(
        string id,
        byte[] bytes,
        bool isInput,
        JobRegistry registry,
        HttpContext context
    ) =>
        RunId.TryParse(id, out var run)
            ? await registry.SendAsync(run, StopsApi.Caller(context), bytes, isInput)
            : new SendResult.NotFound();

    private static Results<Accepted<MessageContract>, ProblemHttpResult> Answer(
        string id,
        SendResult result,
        bool isInput,
        HttpContext context
    )
    {
        switch (result)
        {
            case SendResult.Sent { Message: var message }:
                return TypedResults.Accepted((string?)null, MessageContract.Of(message, isInput));
            case SendResult.AlreadyEnded { Run: var run }:
                return Problems.RunAlreadyEnded(RunContract.Of(run, context));
            case SendResult.NotSupported { Run: var run }:
                return Problems.TakesNoMail(RunContract.Of(run, context), isInput);
            case SendResult.Full:
                context.Response.Headers.RetryAfter = "1";
                return Problems.MailboxFull();
            default:
                return Problems.UnknownRun(id);
        }
    }

    /// <summary>The message as UTF-8, or null where an escape in it stands for half a character.</summary>
    private static byte[]? TextOf(MessageBody body) =>
        JobDefinition.IsUnicode(body.Message) ? Encoding.UTF8.GetBytes(body.Message.GetRawText()) : null;
}
