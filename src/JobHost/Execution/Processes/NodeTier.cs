using JobHost.Execution.Limits;
using JobHost.Jobs;
using JobHost.Worker.Processes;
using Microsoft.Extensions.Logging;

namespace JobHost.Execution.Processes;

/// <summary>The tier of this node: chosen once when it starts, by what the machine allows and a drill proves.</summary>
internal sealed class NodeTier(
    TierWish wish,
    NodeGuarantees guarantees,
    TierDrill drill,
    NodeGroups groups,
    LimitControllers controllers,
    Func<Keeper> keeper,
    TimeProvider time,
    ILogger<NodeTier> logger
) : IProcessTier
{
    private volatile IProcessTier? chosen;

    public string Name => Chosen.Name;

    private IProcessTier Chosen =>
        chosen ?? throw new InvalidOperationException("The tier is chosen when the node starts.");

    public Task<ProcessTree> StartAsync(WorkerLaunch launch) => Chosen.StartAsync(launch);

    /// <summary>Finds the strongest tier that works, or the one that is wished for.</summary>
    /// <exception cref="JobConfigurationException">None that is wished for works here.</exception>
    internal async Task ChooseAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            Choose(new PortableTier(), []);
            return;
        }
        var drills = new List<Drill>();
        foreach (var (name, make) in Candidates().Where(one => wish.Tier is null || wish.Tier == one.Name))
        {
            var (result, tier) = await TryAsync(name, make);
            drills.Add(result);
            if (result.Passed)
            {
                Choose(tier!, drills);
                return;
            }
        }
        if (wish.Tier is not null || wish.MinimumTier is not null)
        {
            throw Refusal("No tier works on this machine.", drills);
        }
        Choose(new PortableTier(), drills);
    }

    /// <summary>Drills every tier, tries every controller, and chooses nothing.</summary>
    internal async Task<(IReadOnlyList<Drill> Drills, LimitEnforcers Limits)> ExamineAsync()
    {
        var drills = new List<Drill>();
        foreach (var (name, make) in Candidates())
        {
            drills.Add((await TryAsync(name, make)).Drill);
        }
        return (drills, controllers.Detect());
    }

    private async Task<(Drill Drill, IProcessTier? Tier)> TryAsync(string name, Func<IProcessTier> make)
    {
        try
        {
            var tier = make();
            return (await drill.RunAsync(tier), tier);
        }
        catch (IOException refused)
        {
            return (
                new(name, time.GetUtcNow(), Passed: false, Elapsed: null, refused.Message, TierAdvice.For(name)),
                null
            );
        }
    }

    private void Choose(IProcessTier tier, List<Drill> drills)
    {
        if (wish.MinimumTier is { } minimum && !KillGuarantees.Satisfies(tier.Name, minimum))
        {
            throw Refusal($"The strongest tier of this machine is '{tier.Name}', less than '{minimum}'.", drills);
        }
        chosen = tier;
        guarantees.Process = tier.Name;
        guarantees.Drills = drills;
        guarantees.Limits = controllers.Detect();
        logger.TierChosen(tier.Name);
        foreach (var failed in drills.Where(one => !one.Passed))
        {
            logger.TierNotAvailable(failed.Tier, failed.Problem!);
        }
    }

    private IEnumerable<(string Name, Func<IProcessTier> Make)> Candidates()
    {
        yield return (
            KillGuarantees.PidNamespace,
            () => new KeptTier(keeper(), TryTakeGroup(), ownNamespace: true, time)
        );
        yield return (
            KillGuarantees.Cgroup,
            () => new KeptTier(keeper(), groups.Take(controller: null), ownNamespace: false, time)
        );
        yield return (KillGuarantees.Sweep, () => new KeptTier(keeper(), groups: null, ownNamespace: false, time));
        yield return (KillGuarantees.Group, () => new GroupTier(time));
    }

    private Cgroup? TryTakeGroup()
    {
        try
        {
            return groups.Take(controller: null);
        }
        catch (IOException)
        {
            // A namespace kills also without.
            return null;
        }
    }

    private static JobConfigurationException Refusal(string problem, List<Drill> drills) =>
        new(
            $"{problem} {string.Join(" ", drills.Where(one => !one.Passed).Select(one => $"{one.Tier}: {one.Problem}"))} Change JobHost:Kill:Tier or JobHost:Kill:MinimumTier, or what the machine allows."
        );
}

/// <summary>What the configuration says of the tier.</summary>
/// <param name="Tier">The one and only, or null for the strongest.</param>
/// <param name="MinimumTier">The weakest that will do, or null for any.</param>
internal sealed record TierWish(string? Tier, string? MinimumTier);

internal static partial class NodeTierLog
{
    [LoggerMessage(
        410,
        LogLevel.Information,
        "Processes are killed by tier {Tier}, which a drill has proven to work here."
    )]
    internal static partial void TierChosen(this ILogger logger, string tier);

    [LoggerMessage(411, LogLevel.Information, "Tier {Tier} is not available here: {Problem}")]
    internal static partial void TierNotAvailable(this ILogger logger, string tier, string problem);
}
