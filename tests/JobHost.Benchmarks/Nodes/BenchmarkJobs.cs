using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace JobHost.Benchmarks.Nodes;

/// <summary>Jobs that do next to nothing: what is left is what JobHost does.</summary>
internal static class BenchmarkJobs
{
    /// <summary>Does nothing.</summary>
    internal const string Noop = "noop";

    /// <summary>Waits until <see cref="GoOn"/>.</summary>
    internal const string Waits = "waits";

    /// <summary>Tells that its code runs, as each kind of job that there is; <c>process</c> through a named pipe.</summary>
    internal const string TellsAsTask = "tells-task";
    internal const string TellsAsThread = "tells-thread";
    internal const string TellsAsStep = "tells-step";
    internal const string TellsAsProcess = "tells-process";

    /// <summary>Tells that its code runs, which it does until its token is triggered, as each kind inside this process.</summary>
    internal const string Obeys = "obeys";
    internal const string ObeysAsThread = "obeys-thread";
    internal const string ObeysAsStep = "obeys-step";

    /// <summary>Waits for a message, and then writes lines to its log.</summary>
    internal const string Writes = "writes";
    internal const int LineCount = 2000;

    internal static readonly string Line = new('x', 100);

    private static TaskCompletionSource goOn = New();
    private static TaskCompletionSource told = New();

    internal static void Add(JobsBuilder jobs) =>
        jobs.Add(Noop, () => Task.CompletedTask, Unbounded)
            .Add(Waits, () => goOn.Task, Unbounded)
            .Add(TellsAsTask, () => TellAsync())
            .Add(TellsAsThread, Tell)
            .Add(TellsAsStep, TellInSteps)
            .Add<TellingJob>(TellsAsProcess, job => job.Kind = JobKind.Process)
            .Add(Writes, WriteAsync)
            .Add(Obeys, ObeyAsync)
            .Add(ObeysAsThread, Obey)
            .Add(ObeysAsStep, ObeyInSteps);

    /// <summary>Lets all that wait go on; what comes then waits for the next time.</summary>
    internal static void GoOn() => Interlocked.Exchange(ref goOn, New()).SetResult();

    /// <summary>Completes when the code of the next run inside this process runs.</summary>
    internal static Task NextTold() => (told = New()).Task;

    private static async Task WriteAsync(JobContext context)
    {
        await context.ReceiveAsync();
        for (var line = 0; line < LineCount; line++)
        {
            context.Logger.Line(Line);
        }
    }

    private static Task ObeyAsync(CancellationToken stop)
    {
        Tell();
        return Task.Delay(Timeout.Infinite, stop);
    }

    private static void Obey(CancellationToken stop)
    {
        Tell();
        stop.WaitHandle.WaitOne();
        stop.ThrowIfCancellationRequested();
    }

    private static async IAsyncEnumerable<Step> ObeyInSteps([EnumeratorCancellation] CancellationToken stop)
    {
        Tell();
        while (true)
        {
            yield return Step.After(TimeSpan.FromMilliseconds(1));
        }
    }

    private static void Unbounded(JobOptions job) => job.QueueLimit = 1_000_000;

    private static void Tell() => told.SetResult();

    private static Task TellAsync()
    {
        Tell();
        return Task.CompletedTask;
    }

    private static async IAsyncEnumerable<Step> TellInSteps()
    {
        Tell();
        await Task.CompletedTask;
        yield break;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

internal static partial class BenchmarkLog
{
    [LoggerMessage(1, LogLevel.Information, "{Text}")]
    internal static partial void Line(this ILogger logger, string text);
}

/// <summary>A job of a class, as most are.</summary>
internal sealed class TellingJob : IJob<TellingParameters>
{
    public async Task<object?> RunAsync(
        TellingParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        var pipe = new FileStream(parameters.Pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        await using (pipe)
        {
            pipe.WriteByte(1);
        }
        if (parameters.Obeys)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        return null;
    }
}

/// <param name="Pipe">Where it tells that it runs.</param>
/// <param name="Obeys">Whether it then waits until it is asked to stop.</param>
internal sealed record TellingParameters(string Pipe, bool Obeys = false);
