namespace JobHost.Jobs;

/// <summary>What force cannot do to a run inside the host, in words for whoever is about to use it.</summary>
public static class KillLimits
{
    /// <summary>What may withstand a kill, or null where nothing that a run's code can do does.</summary>
    public static string? Of(Footing footing) =>
        footing switch
        {
            { Kind: JobKind.Process } or { Lane: not null } => null,
            { HasThread: true, AllowAbort: true } =>
                "Native code, finally blocks and static constructors withstand an abort. What withstands stays in the host and is stuck.",
            { Kind: JobKind.Thread } =>
                "Code that computes or is in native code withstands an interrupt, and the job does not allow an abort. What withstands stays in the host and is stuck.",
            { Kind: JobKind.Step } =>
                "It ends between two steps only. A step that does not end stays in the host and is stuck.",
            { HasThread: true } =>
                "Code that computes or is in native code withstands an interrupt, and the job does not allow an abort; code that left its thread withstands all. What withstands stays in the host and is stuck.",
            _ => "It ends only by its own help. Code that ignores its token stays in the host and is stuck.",
        };
}
