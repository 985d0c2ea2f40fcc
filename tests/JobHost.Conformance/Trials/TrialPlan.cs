using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>What is tried, how often.</summary>
internal sealed record TrialPlan
{
    /// <summary>Ways that cost more time are tried with few victims in short mode.</summary>
    private const int Sample = 1;

    public required IReadOnlyList<(Victim Victim, Way Way)> RunTrials { get; init; }

    public required IReadOnlyList<Victim> Attacks { get; init; }

    public required IReadOnlyList<Way> HostWays { get; init; }

    public required IReadOnlyList<Victim> HostVictims { get; init; }

    public required int HostRepeats { get; init; }

    public required int Parallel { get; init; }

    /// <param name="settings">What was asked for.</param>
    /// <param name="victims">Who can play here.</param>
    /// <param name="ownsServer">Whether the host may be killed.</param>
    internal static TrialPlan For(Settings settings, IReadOnlyList<Victim> victims, bool ownsServer)
    {
        var chosen = victims
            .Where(victim =>
                !settings.Without.Contains(victim.Name, StringComparer.Ordinal)
                && (settings.Victims.Count == 0 || settings.Victims.Contains(victim.Name, StringComparer.Ordinal))
            )
            .ToList();
        var isNarrow = settings.Victims.Count > 0 || settings.IsLong;
        var ways = settings.Ways.Count > 0 ? settings.Ways : [.. Ways.OfRuns, .. Ways.OfHosts];
        var trials =
            from way in ways
            where Ways.OfRuns.Contains(way)
            from victim in chosen
                .Where(victim => Fits(victim, way))
                .Where(victim => isNarrow || way == Way.Kill || victim.IsTypical)
                .Take(isNarrow || way == Way.Kill ? int.MaxValue : Sample)
            from _ in Enumerable.Range(0, settings.Repeats ?? 1)
            select (victim, way);
        var withHost = chosen
            .Where(victim =>
                victim is { AttacksHost: false, IsHeldBySuite: false, EndsItself: false, NeedsRootAnd: null }
            )
            .Where(victim => isNarrow || victim.IsTypical)
            .ToList();
        return new()
        {
            RunTrials = [.. trials],
            Attacks =
                ownsServer && ways.Contains(Way.Kill)
                    ?
                    [
                        .. chosen
                            .Where(victim => victim.AttacksHost)
                            .SelectMany(victim => Enumerable.Repeat(victim, HostRepeatsOf(settings))),
                    ]
                    : [],
            HostWays = ownsServer && withHost.Count > 0 ? [.. Ways.OfHosts.Where(ways.Contains)] : [],
            HostVictims = withHost,
            HostRepeats = HostRepeatsOf(settings),
            Parallel = settings.Parallel,
        };
    }

    // A server's start is worth twenty runs.
    private static int HostRepeatsOf(Settings settings) => Math.Max(1, (settings.Repeats ?? 1) / 10);

    private static bool Fits(Victim victim, Way way) =>
        !victim.AttacksHost
        && way switch
        {
            Way.Natural => victim.CanLeave,
            Way.Kill => true,
            _ => !victim.IsHeldBySuite && !(victim.EndsItself && way is Way.Timeout),
        };
}
