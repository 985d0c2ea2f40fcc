using JobHost.Control;

namespace JobHost.Server.Contracts;

/// <summary>What a stop would do, were it asked now. Nothing was done.</summary>
public sealed record StopPlanContract
{
    public required Guid RunId { get; init; }

    public required JobKind Kind { get; init; }

    /// <summary><c>cooperative</c>, <c>best-effort</c> or the name of a tier.</summary>
    public string? KillGuarantee { get; init; }

    /// <summary>What would be climbed; empty where the run has not begun and would never begin.</summary>
    public required IReadOnlyList<LadderStepContract> Rungs { get; init; }

    /// <summary>What is alive of it outside the host: all of it would be killed.</summary>
    public required IReadOnlyList<ProcessContract> Processes { get; init; }

    /// <summary>Other runs in the same process, which a kill would take along.</summary>
    public required IReadOnlyList<Guid> Neighbours { get; init; }

    /// <summary>The name of its thread inside the host, or null.</summary>
    public string? Thread { get; init; }

    /// <summary>What may withstand, in words; null where nothing does.</summary>
    public string? Limit { get; init; }

    internal static StopPlanContract Of(StopPlan plan) =>
        new()
        {
            RunId = plan.Run.Id.Value,
            Kind = plan.Run.Kind,
            KillGuarantee = plan.Run.KillGuarantee,
            Rungs = [.. plan.Rungs.Select(step => new LadderStepContract(step.Rung, step.Grace.TotalSeconds))],
            Processes = [.. plan.Processes.Select(ProcessContract.Of)],
            Neighbours = [.. plan.Neighbours.Select(id => id.Value)],
            Thread = plan.Thread,
            Limit = plan.Limit,
        };
}
