using JobHost.Runs;

namespace JobHost.Nodes;

/// <summary>Who this node is in this life.</summary>
/// <param name="Name">Its name, the same over all lives.</param>
/// <param name="Epoch">The number of this life.</param>
/// <param name="Instance">The mark that processes of all lives carry.</param>
internal sealed record NodeIdentity(string Name, long Epoch, string Instance)
{
    private long claims;

    /// <summary>The boot of the machine that this life belongs to, or null where the system does not tell.</summary>
    public string? BootId { get; init; }

    /// <summary>When this life began.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>The token of a new claim: above every token of this life and of all before.</summary>
    internal long NextFence() => (Epoch << 32) | Interlocked.Increment(ref claims);

    /// <summary>Whether a run was claimed by this life.</summary>
    internal bool Owns(Run run) => run.Epoch == Epoch;
}
