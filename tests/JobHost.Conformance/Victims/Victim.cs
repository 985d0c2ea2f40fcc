namespace JobHost.Conformance.Victims;

/// <summary>One misbehaviour: what the victim program is told to do, and what a correct node may make of it.</summary>
/// <param name="Name">The name of the job, and of the row in the table.</param>
/// <param name="What">In plain words.</param>
/// <param name="Body">What the victim program calls it.</param>
/// <param name="Options">More for the victim program, as <c>name=value,name</c>.</param>
internal sealed record Victim(string Name, string What, string Body, string Options = "")
{
    /// <summary>
    /// A shell script instead of the victim program: real programs. <c>$1</c> is the folder that all of it works in, <c>$2</c>
    /// the options. It writes the number of its processes to <c>$3</c> when all are there.
    /// </summary>
    public string? Script { get; init; }

    /// <summary>A program that people do run.</summary>
    public bool IsReal => Script is not null;

    /// <summary>Its main process can end with exit code 7 and leave the others behind.</summary>
    public bool CanLeave { get; init; } = true;

    /// <summary>So many are there the moment it is ready; fewer is no misbehaviour, and proves nothing.</summary>
    public bool CountIsExact { get; init; } = true;

    /// <summary>It multiplies no further than this; who stops it only thereafter has not stopped it.</summary>
    public ulong? Bound { get; init; }

    /// <summary>It may end by itself while it is being stopped.</summary>
    public bool EndsItself { get; init; }

    /// <summary>It goes for the host: it gets a server of its own, which may die of it.</summary>
    public bool AttacksHost { get; init; }

    /// <summary>It can succeed, where nothing stands between the two.</summary>
    public bool KillsHost { get; init; }

    /// <summary>It takes a machine's breath away: nothing else runs beside it.</summary>
    public bool IsHeavy { get; init; }

    /// <summary>Only root can do it, and only where this folder is; null: anybody can.</summary>
    public string? NeedsRootAnd { get; init; }

    /// <summary>It may be that nothing stops it before the suite lets go of it: then the run must say <c>stuck</c>, and why.</summary>
    public bool IsHeldBySuite { get; init; }

    /// <summary>Nothing can stop it before that, so no other word would be true.</summary>
    public bool MustBeStuck { get; init; }

    /// <summary>The tiers in which it may stay <c>stuck</c>, as long as that is what the run says.</summary>
    public IReadOnlyList<string> MayStayStuckIn { get; init; } = [];

    /// <summary>Nothing but its host's end is needed to see whether it ends.</summary>
    public bool EndsWithHost =>
        this is { AttacksHost: false, IsHeldBySuite: false, EndsItself: false, NeedsRootAnd: null };

    /// <summary>Part of the small choice for ways to stop that are costly.</summary>
    public bool IsTypical { get; init; }
}
