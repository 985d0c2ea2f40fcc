using System.Globalization;
using System.Text.Json;
using JobHost.Client;
using JobHost.Client.Documents;
using Spectre.Console;

namespace JobHost.Cli.Screens;

/// <summary>How things are said.</summary>
internal static class Words
{
    /// <summary>A text on one line that cannot steer a terminal.</summary>
    internal static string Clean(string text) => Printable.Line(text);

    /// <summary>A text of at most so many cells.</summary>
    internal static string Cut(string text, int width) => Printable.Cut(text, width);

    /// <summary>A size in at most six characters.</summary>
    internal static string Size(long bytes)
    {
        if (bytes < 1024)
        {
            return $"{bytes}B";
        }
        var size = (double)bytes;
        var unit = -1;
        for (; size >= 1000 && unit < 3; unit++)
        {
            size /= 1024;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#}{"KMGT"[unit]}");
    }

    /// <summary>A duration in at most six characters.</summary>
    internal static string Duration(TimeSpan duration)
    {
        var time = duration > TimeSpan.Zero ? duration : TimeSpan.Zero;
        return time switch
        {
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0}s"),
            { TotalMinutes: < 1 } => $"{(int)time.TotalSeconds}s",
            { TotalHours: < 1 } => $"{time.Minutes}m{time.Seconds:00}s",
            { TotalDays: < 1 } => $"{time.Hours}h{time.Minutes:00}m",
            _ => $"{(int)time.TotalDays}d{time.Hours:00}h",
        };
    }

    internal static string Instant(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>How long a run has executed, or did; empty while it waits.</summary>
    internal static string Time(Run run, DateTimeOffset now) =>
        run.StartedAt is { } started ? Duration((run.EndedAt ?? now) - started) : "";

    internal static string NameOf<T>(T value)
        where T : struct, Enum => EnumNames.NameOf(value);

    internal static Cell State(Run run) =>
        new(
            run.FrozenUntil is not null ? "frozen"
                : !run.IsEnded && run.State == RunState.Running && run.Stop is StopLevel.Cancel or StopLevel.Kill
                    ? "stopping"
                : NameOf(run.State),
            StyleOf(run.State)
        );

    internal static Style? StyleOf(RunState state) =>
        state switch
        {
            RunState.Succeeded => new(Color.Green),
            RunState.Running => new(Color.Aqua),
            RunState.Failed or RunState.Killed or RunState.TimedOut or RunState.Lost => new(Color.Red),
            RunState.Cancelled => new(Color.Yellow),
            RunState.Stuck => new(Color.Fuchsia, decoration: Decoration.Bold),
            _ => null,
        };

    internal static string Percent(Run run) =>
        run.Progress is { } progress
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(progress.Percent, 0, 100):0}%")
            : "";

    /// <summary>What is to be said of a run besides its state, in a few words.</summary>
    internal static string Note(Run run) =>
        Cause(run) is { Length: > 0 } cause ? cause
        : run.Progress?.Message is { } message ? message
        : run.NotBefore is { } begin && run.State == RunState.Queued ? $"not before {Instant(begin)}"
        : "";

    private static string Cause(Run run) =>
        run.Error is { } error ? error.Message
        : run.Signal is { } signal ? signal
        : run.ExitCode is not (null or 0) ? $"exit code {run.ExitCode}"
        : "";

    /// <summary>How a run ended, in a sentence.</summary>
    internal static string Ending(Run run, DateTimeOffset now)
    {
        var note = Cause(run);
        var time = Time(run, now);
        return $"{run.Job} {RunFinder.Short(run.Id)} {NameOf(run.State)}"
            + (time.Length == 0 ? "" : $" after {time}")
            + (note.Length == 0 ? "" : $": {Clean(note)}");
    }

    /// <summary>A receipt in a sentence.</summary>
    internal static string Of(Termination receipt) =>
        receipt.Verdict switch
        {
            Verdict.Gone or Verdict.GoneLate => string.Create(
                CultureInfo.InvariantCulture,
                $"verified gone{(receipt.ElapsedMs is { } elapsed ? $" after {elapsed:0} ms" : "")}{(receipt.VerifiedBy is { } proof ? $" ({Clean(proof)})" : "")}"
            ),
            Verdict.Stuck => "stuck: every means was tried, and it is not proven gone",
            _ => "asked, and not yet gone",
        };

    /// <summary>A refusal, and what can be done about it where that is plain.</summary>
    internal static string Of(JobHostApiException refusal) =>
        Clean(refusal.Message)
        + (
            refusal.Is("unauthenticated") ? " (JOBHOST_KEY, or --key)"
            : refusal.Type is null ? " Is this a JobHost server?"
            : ""
        );

    /// <summary>Why a server cannot be reached.</summary>
    internal static string Of(Exception unreached) =>
        unreached switch
        {
            OperationCanceledException => "The server does not answer.",
            JsonException => "The answer is not what a JobHost server says.",
            _ => $"The server cannot be reached: {Clean(unreached.Message)}",
        };
}
