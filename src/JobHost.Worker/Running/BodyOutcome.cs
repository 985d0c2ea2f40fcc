using System.Text.Json;
using JobHost.Worker.Bodies;

namespace JobHost.Worker.Running;

/// <summary>How the code of a run came to its end: a fact about the code, not yet a state of the run.</summary>
public enum BodyEnding
{
    /// <summary>It returned, or a command exited with code 0.</summary>
    Returned,

    /// <summary>It threw, or a command exited with another code or by a signal.</summary>
    Failed,

    /// <summary>It threw the cancellation exception of its own stop token after that token was triggered.</summary>
    ObeyedStop,

    /// <summary>The interrupt rung ended it.</summary>
    Interrupted,

    /// <summary>The abort rung ended it.</summary>
    Aborted,

    /// <summary>It was left at a step and never continued.</summary>
    Dropped,

    /// <summary>The kill or the recycle rung ended its process.</summary>
    Killed,

    /// <summary>The process that it shared ended, and how far it came is not known.</summary>
    Lost,
}

/// <summary>What a job's code threw.</summary>
/// <param name="Type">The full name of the exception type, or a word of ours such as <c>exit-code</c>.</param>
/// <param name="Message">In one paragraph.</param>
/// <param name="Stack">The stack trace of the job's own code, or null.</param>
public sealed record RunError(string Type, string Message, string? Stack)
{
    private const int MaxMessageLength = 8 * 1024;
    private const int MaxStackLength = 32 * 1024;

    /// <summary>The exception as it is kept with the run, cut to bounds.</summary>
    public static RunError From(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return new(
            exception.GetType().FullName ?? "Exception",
            Cut(exception.Message, MaxMessageLength)!,
            Cut(exception.ToString(), MaxStackLength)
        );
    }

    /// <summary>The same error with its texts cut to bounds, where they come from somebody who is not trusted.</summary>
    public RunError Bounded() => new(Cut(Type, 256)!, Cut(Message, MaxMessageLength)!, Cut(Stack, MaxStackLength));

    private static string? Cut(string? text, int length) =>
        text is null || text.Length <= length ? text : text[..length] + "...";
}

/// <summary>How a body ended, with its result or error.</summary>
internal sealed record BodyOutcome(BodyEnding Ending, JsonElement? Result = null, RunError? Error = null)
{
    /// <summary>The largest result that is part of a run's record, as UTF-8 JSON: 64 KiB. A larger one is a file.</summary>
    internal const int MaxInlineResultBytes = 64 * 1024;

    /// <summary>The largest result that is kept, as UTF-8 JSON: 1 GiB.</summary>
    internal const long MaxResultBytes = 1L << 30;

    /// <summary>How large the result in the run's file is; null where there is none.</summary>
    public long? ResultFileBytes { get; init; }

    /// <summary>The outcome of a body that returned; a result that cannot be kept is a failure that says so.</summary>
    /// <param name="result">What it returned.</param>
    /// <param name="file">Where a large result goes.</param>
    /// <param name="limit">How many bytes it may have.</param>
    internal static BodyOutcome Returned(object? result, string file, long limit = MaxResultBytes)
    {
        if (result is null)
        {
            return new(BodyEnding.Returned);
        }
        try
        {
            using var stream = new ResultStream(file, MaxInlineResultBytes, limit);
            JsonSerializer.Serialize(stream, result, result.GetType(), JobJson.Options);
            return stream.Finish() is { } inline
                ? new(BodyEnding.Returned, JsonElement.Parse(inline))
                : new(BodyEnding.Returned) { ResultFileBytes = stream.Length };
        }
        catch (ResultTooLargeException)
        {
            var words = $"The job ran to its end, but its result exceeds the limit of {limit} bytes.";
            return new(BodyEnding.Failed, Error: new("result-too-large", words, null));
        }
        catch (Exception problem)
        {
            // Writing a result runs code of the job: its getters and converters may throw anything.
            var words = $"The job ran to its end, but its result cannot be written as JSON: {problem.Message}";
            return new(BodyEnding.Failed, Error: new("result-not-serialisable", words, null));
        }
    }

    /// <summary>The outcome of a body that threw.</summary>
    /// <param name="exception">What it threw.</param>
    /// <param name="context">The run, to tell a cancellation that was asked for from one that was not.</param>
    internal static BodyOutcome Threw(Exception exception, JobContext context)
    {
        // Any cancellation after the run was asked to stop counts: linked tokens are the rule, not the exception.
        var cancelled =
            exception
            is OperationCanceledException
                or AggregateException { InnerExceptions: [OperationCanceledException] };
        return cancelled && context.StopToken.IsCancellationRequested
            ? new(BodyEnding.ObeyedStop)
            : new(BodyEnding.Failed, Error: RunError.From(exception));
    }
}
