using System.Globalization;
using JobHost.Client.Documents;

namespace JobHost.Cli.Screens;

/// <summary>All that is known of a run, line by line.</summary>
internal static class RunCard
{
    private const int NameWidth = 12;
    private const int MinValueWidth = 20;

    internal static void Write(Screen screen, Run run, Termination? receipt, DateTimeOffset now)
    {
        Line(screen, "run", $"{run.Id}");
        Line(screen, "job", $"{run.Job} ({Words.NameOf(run.Kind)})");
        Line(
            screen,
            "state",
            Words.NameOf(run.State) + (run.Stop is StopLevel.None ? "" : $", asked to {Words.NameOf(run.Stop)}")
        );
        Line(screen, "attempt", run.Attempt.ToString(CultureInfo.InvariantCulture));
        Line(screen, "node", run.Node + (run.Lane is null ? "" : $", lane {run.Lane}"));
        Line(screen, "labels", string.Join(", ", run.Labels.Select(label => $"{label.Key}={label.Value}")));
        Line(
            screen,
            "schedule",
            run.Schedule is { } schedule
                ? $"{schedule.Id}, {(schedule.DueAt is { } due ? $"due {Words.Instant(due)}" : "triggered")}"
                : null
        );
        Line(screen, "parameters", run.Parameters?.GetRawText());
        Line(screen, "created", Words.Instant(run.CreatedAt));
        Line(screen, "started", run.StartedAt is { } started ? Words.Instant(started) : null);
        Line(screen, "ended", run.EndedAt is { } ended ? Words.Instant(ended) : null);
        Line(screen, "time", Words.Time(run, now));
        Line(screen, "progress", $"{Words.Percent(run)} {run.Progress?.Message}".Trim());
        Line(screen, "exit code", run.ExitCode?.ToString(CultureInfo.InvariantCulture));
        Line(screen, "signal", run.Signal);
        Line(
            screen,
            "result",
            run.ResultFileBytes is { } size ? $"{Words.Size(size)}, by the verb 'result'" : run.Result?.GetRawText()
        );
        Line(screen, "error", run.Error is { } error ? $"{error.Type}: {error.Message}" : null);
        Line(screen, "frozen until", run.FrozenUntil is { } until ? Words.Instant(until) : null);
        Line(screen, "guarantee", run.KillGuarantee);
        Line(screen, "leaked", run.Leaked == 0 ? null : $"{run.Leaked} processes were left behind, and removed");
        Line(screen, "trace", run.TraceId);
        Line(screen, "retry of", run.RetryOf?.ToString());
        Line(screen, "cleans up", run.Compensates is { } stopped ? $"after {stopped}" : null);
        Line(screen, "cleaned up", run.CompensatedBy is { } cleaning ? $"by {cleaning}" : null);
        foreach (var attempt in run.Attempts)
        {
            Line(
                screen,
                $"attempt {attempt.Attempt}",
                $"{Words.NameOf(attempt.Outcome)} {attempt.Error?.Message}".Trim()
            );
        }
        if (receipt is { Requests.Count: > 0 })
        {
            WriteReceipt(screen, receipt);
        }
    }

    /// <summary>Who asked, what was done, what it comes to.</summary>
    internal static void WriteReceipt(Screen screen, Termination receipt)
    {
        foreach (var request in receipt.Requests)
        {
            var why = request.Reason is { } reason ? $": {reason}" : "";
            Line(screen, "asked", $"{Words.Instant(request.At)} to {Words.NameOf(request.Level)} by {request.By}{why}");
        }
        foreach (var rung in receipt.Rungs)
        {
            var elapsed = string.Create(CultureInfo.InvariantCulture, $"{rung.ElapsedMs:0.0} ms");
            Line(
                screen,
                "rung",
                $"{Words.NameOf(rung.Name), -9} {rung.Outcome}{(rung.ElapsedMs is null ? "" : $" after {elapsed}")}"
            );
        }
        Line(screen, "verdict", Words.Of(receipt));
        foreach (var survivor in receipt.Survivors)
        {
            Line(screen, "alive", $"{survivor.Pid} {survivor.Command} {survivor.State} {survivor.WaitsFor}".TrimEnd());
        }
    }

    /// <summary>A line with a name before it; none where there is no value.</summary>
    internal static void Line(Screen screen, string name, string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return;
        }
        var head = name;
        foreach (var line in Printable.Wrap(Words.Clean(value), Math.Max(MinValueWidth, screen.Width - NameWidth - 1)))
        {
            screen.WriteLine($"{head, -NameWidth} {line}");
            head = "";
        }
    }
}
