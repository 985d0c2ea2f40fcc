using JobHost.Jobs;

namespace JobHost.Execution.Processes;

/// <summary>What to change on a machine for a tier that does not work there.</summary>
internal static class TierAdvice
{
    /// <summary>The advice for a tier.</summary>
    internal static string For(string tier) =>
        tier switch
        {
            KillGuarantees.PidNamespace =>
                "It needs CAP_SYS_ADMIN. systemd: run the service as root, or with AmbientCapabilities=CAP_SYS_ADMIN. "
                    + "Docker: --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined. "
                    + "Kubernetes: securityContext.capabilities.add: [SYS_ADMIN], seccompProfile: Unconfined.",
            KillGuarantees.Cgroup =>
                "It needs a cgroup of version 2 that the service may write, and Linux 5.14 for the fastest kill. "
                    + "systemd: Delegate=yes. Docker: --cgroupns=private with /sys/fs/cgroup mounted read-write, or --privileged. "
                    + "Kubernetes: a privileged container only.",
            KillGuarantees.Sweep =>
                "It needs no privilege, but /proc and Linux 5.3: a sandbox that hides other processes (hidepid), or an emulated "
                    + "kernel, may be in its way.",
            _ => "It needs /proc and Linux 5.3.",
        };
}
