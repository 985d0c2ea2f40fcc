using JobHost.Clock;
using Microsoft.Extensions.Hosting;

namespace JobHost.Hosting;

/// <summary>Lets the clock of the schedules run while the application does.</summary>
internal sealed class ScheduleService(ScheduleClock clock) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => clock.RunAsync(stoppingToken);
}
