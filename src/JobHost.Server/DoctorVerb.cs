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
        var builder = WebApplication.CreateBuilder(args);
        builder.AddConfigFile();
        var drills = await Doctor.ExamineAsync(builder.Configuration);
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
        return best is null ? ExitNothingWorks : 0;
    }

    private static string Line(Drill drill) =>
        drill.Passed
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{drill.Tier, -8}  works: killed and proven gone in {drill.Elapsed!.Value.TotalMilliseconds:0.0} ms"
            )
            : $"{drill.Tier, -8}  does not work";
}
