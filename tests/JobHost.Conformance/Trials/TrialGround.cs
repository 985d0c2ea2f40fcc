using System.Globalization;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>A victim's run that has been started.</summary>
internal sealed record StartedRun(Victim Victim, string Token, string Id);

/// <summary>What all trials of one tier share: the program, the eyes, and how a victim is brought into place.</summary>
internal sealed class TrialGround(VictimProgram program, ProcessOracle oracle, Holds holds, string tier)
{
    /// <summary>How long a victim may take to be in place.</summary>
    private static readonly TimeSpan ReadyBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private static readonly object[] ShortLadder =
    [
        new { rung = "cancel", graceSeconds = 0.1 },
        new { rung = "terminate", graceSeconds = 0.1 },
        new { rung = "kill", graceSeconds = 0 },
        new { rung = "verify", graceSeconds = 5 },
    ];

    internal VictimProgram Program => program;

    internal ProcessOracle Oracle => oracle;

    internal Holds Holds => holds;

    internal string Tier => tier;

    /// <summary>Starts a victim's run; null when the host was gone before it answered.</summary>
    /// <param name="api">The node.</param>
    /// <param name="victim">Who.</param>
    /// <param name="fence">The process below which an attack may aim; null: nowhere.</param>
    /// <param name="leaves">Whether its main process is to end by itself.</param>
    /// <param name="seconds">When its processes end by themselves.</param>
    /// <param name="timeout">The run's timeout.</param>
    /// <param name="token">The mark of its processes; null: a new one.</param>
    internal async Task<StartedRun?> StartAsync(
        NodeApi api,
        Victim victim,
        int? fence = null,
        bool leaves = false,
        int seconds = 180,
        TimeSpan? timeout = null,
        string? token = null
    )
    {
        token ??= NewToken(victim);
        program.Prepare(token);
        string?[] options =
        [
            string.Create(CultureInfo.InvariantCulture, $"seconds={seconds}"),
            victim.Options.Length > 0 ? victim.Options : null,
            leaves ? "leave" : null,
            fence is { } pid ? string.Create(CultureInfo.InvariantCulture, $"fence={pid},ns={OwnNamespace()}") : null,
        ];
        object body = timeout is { } bound
            ? new
            {
                parameters = new { token, options = string.Join(',', options.OfType<string>()) },
                timeoutSeconds = bound.TotalSeconds,
                ladder = ShortLadder,
            }
            : new { parameters = new { token, options = string.Join(',', options.OfType<string>()) } };
        return await api.StartAsync(victim.Name, body) is { } id ? new(victim, token, id) : null;
    }

    internal static string NewToken(Victim victim) => $"{victim.Name}-{Guid.NewGuid():N}";

    /// <summary>Waits until a victim misbehaves; returns why it does not, or null.</summary>
    internal async Task<string?> ReadyAsync(StartedRun run, Task<RunView?> ended)
    {
        var until = DateTime.UtcNow + ReadyBound;
        while (program.ReadyCount(run.Token) is null)
        {
            if (ended.IsCompleted && program.ReadyCount(run.Token) is null)
            {
                return $"it ended before it was in place: {(await ended)?.Text ?? "the host is gone"}";
            }
            if (DateTime.UtcNow > until)
            {
                return "it did not get into place in time";
            }
            await Task.Delay(Pause);
        }
        return null;
    }

    /// <summary>Waits until a look comes out as wanted; false when the bound passed before.</summary>
    internal static async Task<bool> UntilAsync(Func<bool> isSo, TimeSpan bound)
    {
        var until = DateTime.UtcNow + bound;
        while (!isSo())
        {
            if (DateTime.UtcNow > until)
            {
                return isSo();
            }
            await Task.Delay(Pause);
        }
        return true;
    }

    private static string OwnNamespace() => new FileInfo("/proc/self/ns/pid").LinkTarget ?? "none";
}
