namespace JobHost.Conformance.Trials;

/// <summary>What came of one run.</summary>
internal sealed record TrialResult(string Tier, string Victim, Way Way)
{
    /// <summary>Processes that were alive when the node said that the run had ended, or when nothing more could stop them.</summary>
    public int Survivors { get; init; }

    /// <summary>The node said that the run had ended while processes of it were alive.</summary>
    public bool IsLie { get; init; }

    /// <summary>Innocents that were hurt meanwhile.</summary>
    public int WrongVictims { get; init; }

    /// <summary>The run was stuck, and the node said so.</summary>
    public bool WasStuck { get; init; }

    /// <summary>Why the machine did not let the victim do what it is there for; then nothing is judged.</summary>
    public string? Prevented { get; init; }

    /// <summary>From the request, or the host's death, to the verified end.</summary>
    public TimeSpan? Took { get; init; }

    /// <summary>What else was not as it has to be.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    internal bool IsFlawless => Survivors == 0 && !IsLie && WrongVictims == 0 && Problems.Count == 0;

    internal string Describe() =>
        string.Join(
            "; ",
            new[]
            {
                Survivors > 0 ? $"{Survivors} survivors" : null,
                IsLie ? "reported as ended before" : null,
                WrongVictims > 0 ? $"{WrongVictims} innocents hurt" : null,
            }
                .OfType<string>()
                .Concat(Problems)
        );
}
