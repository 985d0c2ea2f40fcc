using System.Runtime.Versioning;
using System.Text.Json;
using JobHost.Worker.Processes;
using JobHost.Worker.Protocol;
using Microsoft.Extensions.Logging;

namespace JobHost.Worker.Main;

/// <summary>
/// What a worker does while nobody wants it yet, so that its run need not wait for it: the application's registration, the
/// bodies of its jobs, and the whole way of a run, once with a job that does nothing and once with a command that does nothing,
/// so that all of it is loaded and compiled. It is cut short as soon as the assignment is there.
/// </summary>
/// <param name="jobs">The jobs of the application.</param>
/// <param name="isWanted">Whether the assignment is there.</param>
[SupportedOSPlatform("linux")]
internal sealed class WarmUp(WorkerJobs jobs, Func<bool> isWanted)
{
    private const string Command = "/bin/true";
    private const string Idle = "idle";

    private static readonly JsonElement Parameters = JsonSerializer.SerializeToElement(new { text = Idle, number = 1 });

    /// <summary>Never fails: what goes wrong here goes wrong again in the run, where it is somebody's to know.</summary>
    internal async Task RunAsync()
    {
        try
        {
            await RunAsync(command: null);
            if (!isWanted() && File.Exists(Command))
            {
                var environment = new Dictionary<string, string>(StringComparer.Ordinal) { [Idle] = Idle };
                await RunAsync(new(Command, [], environment, Path.GetTempPath()));
            }
            if (!isWanted())
            {
                // Nobody is there to be killed yet.
                Brood.KillAll(TimeSpan.FromSeconds(1));
            }
            foreach (var job in jobs.OfWorkers.TakeWhile(_ => !isWanted()))
            {
                jobs.BodyOf(job).Compile();
            }
        }
        catch (Exception)
        {
            // As above.
        }
    }

    private static async Task RunAsync(CommandLine? command)
    {
        var assignment = new AssignMessage
        {
            RunId = Guid.Empty,
            Job = Idle,
            Attempt = 1,
            Fence = 0,
            WorkingDirectory = Path.GetTempPath(),
            Parameters = command is null ? Parameters : null,
            Command = command,
        };
        using var received = new MemoryStream(Frame.Encode(assignment));
        using var channel = new WorkerChannel(received, Stream.Null);
        using var idle = new WorkerJobs(builder => builder.Add<IdleJob>(Idle));
        using var reporter = new WorkerReporter(channel);
        var run = new AssignedRun((AssignMessage)channel.Receive()!, channel, reporter, idle, new AdoptedZombies());
        await run.RunAsync();
    }

    private sealed class IdleJob : IJob<IdleParameters>
    {
        public async Task<object?> RunAsync(
            IdleParameters parameters,
            JobContext context,
            CancellationToken cancellationToken
        )
        {
            await Task.Yield();
            context.Report(100);
            context.Logger.Warm();
            return parameters;
        }
    }

    private sealed record IdleParameters(string? Text = null, int Number = 0);
}

internal static partial class WarmUpLog
{
    [LoggerMessage(1, LogLevel.Information, "Warm.")]
    internal static partial void Warm(this ILogger logger);
}
