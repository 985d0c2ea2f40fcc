namespace JobHost.Jobs;

/// <summary>What force cannot do to a run inside the host, in words for whoever is about to use it.</summary>
public static class KillLimits
{
    /// <summary>What may withstand a kill, or null where nothing that a run's code can do does.</summary>
    public static string? Of(Footing footing) =>
        footing.Kind switch
        {
            JobKind.Process => null,
            _ when footing is { HasThread: true, AllowAbort: true } =>
                "Some native code, finally blocks and static constructors withstand an abort. What withstands stays in the host and is stuck.",
            _ when footing.HasThread =>
                "Code that computes or is in native code withstands an interrupt, and the job does not allow an abort. What withstands stays in the host and is stuck.",
            JobKind.Step => "It ends between two steps only. A step that does not end stays in the host and is stuck.",
            _ => "It ends only by its own help. Code that ignores its token stays in the host and is stuck.",
        };
}
