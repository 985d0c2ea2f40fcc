using System.Globalization;
using JobHost.Hosting;
using JobHost.Jobs;
using JobHost.Server.Http;

namespace JobHost.Server;

/// <summary>The verb <c>doctor</c>: tells what this machine can guarantee, why not more, and what to change to get it.</summary>
internal static class DoctorVerb
{
    internal const string Name = "doctor";

    private const int ExitNothingWorks = 1;

    internal static async Task<int> RunAsync(string[] args)
    {
        var builder = Listening.CreateBuilder(args);
        builder.AddConfigFile();
        var (drills, limits) = await Doctor.ExamineAsync(builder.Configuration);
        var output = Console.Out;
        if (drills.Count == 0)
        {
            await output.WriteLineAsync(
                $"This system has no tiers: runs in processes are killed as well as its class library can ({KillGuarantees.BestEffort})."
            );
            return 0;
        }
        await output.WriteLineAsync(
            "Each tier was tried with a process that left its session, wiped its marks and ignores SIGTERM."
        );
        await output.WriteLineAsync();
        foreach (var drill in drills)
        {
            await output.WriteLineAsync(Line(drill));
            if (!drill.Passed)
            {
                await output.WriteLineAsync($"          {drill.Problem}");
                await output.WriteLineAsync($"          {drill.Advice}");
            }
        }
        await output.WriteLineAsync();
        var best = drills.FirstOrDefault(drill => drill.Passed);
        await output.WriteLineAsync(
            best is null
                ? "No tier works: runs in processes cannot be killed reliably here, and the service will not start."
                : $"The service will use '{best.Tier}' (JobHost:Kill:Tier=auto)."
        );
        await output.WriteLineAsync();
        await output.WriteLineAsync("Limits of runs are seen to by:");
        foreach (var (limit, enforcer) in Lines(limits))
        {
            await output.WriteLineAsync($"{limit, -11} {Describe(enforcer)}");
        }
        if (limits.Memory != LimitEnforcer.Kernel || limits.Processes != LimitEnforcer.Kernel)
        {
            await output.WriteLineAsync(
                "For the kernel to see to all of them, give the service the controllers memory, pids and cpu. "
                    + "systemd: Delegate=yes. Docker: --cgroupns=private with /sys/fs/cgroup mounted read-write, or --privileged."
            );
        }
        return best is null ? ExitNothingWorks : 0;
    }

    private static IEnumerable<(string Limit, LimitEnforcer Enforcer)> Lines(LimitEnforcers limits) =>
        [
            ("memory", limits.Memory),
            ("processors", limits.Processors),
            ("processes", limits.Processes),
            ("open files", limits.OpenFiles),
            ("output", limits.Output),
            ("artifacts", limits.Artifacts),
            ("CPU time", limits.CpuTime),
        ];

    private static string Describe(LimitEnforcer enforcer) =>
        enforcer switch
        {
            LimitEnforcer.Kernel => "the kernel",
            LimitEnforcer.Host => "JobHost, which counts it",
            LimitEnforcer.Watch => "JobHost, which looks four times a second",
            _ => "nobody",
        };

    private static string Line(Drill drill) =>
        drill.Passed
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{drill.Tier, -8}  works: killed and proven gone in {drill.Elapsed!.Value.TotalMilliseconds:0.0} ms"
            )
            : $"{drill.Tier, -8}  does not work";
}
