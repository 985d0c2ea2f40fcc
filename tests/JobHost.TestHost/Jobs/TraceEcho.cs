using System.Diagnostics;

namespace JobHost.TestHost.Jobs;

/// <summary>Jobs that tell in which trace they find themselves, one of each form.</summary>
internal static class TraceEcho
{
    internal static async Task<object?> TaskAsync(CancellationToken cancellationToken)
    {
        var before = Say();
        await Task.Delay(1, cancellationToken);
        // What was begun is still there after a wait.
        return Say() == before ? before : null;
    }

    internal static object? Thread() => Say();

    internal static async IAsyncEnumerable<Step> Steps()
    {
        yield return Step.Next;
        await Task.Yield();
        yield return Step.Return(Say());
    }

    private static TraceSeen? Say() =>
        Activity.Current is { } current
            ? new(
                current.TraceId.ToHexString(),
                current.TraceStateString,
                Environment.GetEnvironmentVariable("TRACEPARENT"),
                Environment.GetEnvironmentVariable("TRACESTATE")
            )
            : null;
}

/// <summary>What a job found.</summary>
internal sealed record TraceSeen(string Id, string? State, string? Parent, string? ParentState);
