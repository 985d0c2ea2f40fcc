using JobHost.Execution.Processes;
using JobHost.Jobs;
using JobHost.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace JobHost.Hosting;

/// <summary>Finds out what a machine can guarantee, by trying it: starts misbehaving processes in each tier and kills them.</summary>
public static class Doctor
{
    /// <summary>Drills every tier. Nothing is recorded, and no data directory is needed.</summary>
    /// <param name="configuration">The service's configuration; of it only what workers are started with matters.</param>
    /// <returns>The drills, the strongest tier first (none where the system knows no tiers), and who sees to the limits of runs.</returns>
    /// <exception cref="JobConfigurationException">An option is not valid.</exception>
    public static async Task<(IReadOnlyList<Drill> Drills, LimitEnforcers Limits)> ExamineAsync(
        IConfiguration configuration
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (!OperatingSystem.IsLinux())
        {
            return ([], new());
        }
        var options = ServiceCollectionExtensions.Bind(configuration.GetSection(JobHostOptions.Section));
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        services.AddSingleton(TimeProvider.System);
        // A life of its own, which shares neither marks nor cgroups with a server that runs here.
        services.AddSingleton(new NodeIdentity(options.Node.Name, Epoch: 0, Guid.NewGuid().ToString("N")));
        services.AddProcessTiers(options);
        await using var provider = services.BuildServiceProvider();
        return await provider.GetRequiredService<NodeTier>().ExamineAsync();
    }
}
