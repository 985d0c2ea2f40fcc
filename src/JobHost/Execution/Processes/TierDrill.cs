using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Main;
using JobHost.Worker.Native;

namespace JobHost.Execution.Processes;

/// <summary>Tries out whether a tier kills on this machine; what a system says that it can is not believed.</summary>
internal sealed class TierDrill(WorkerProgram program, WorkerEnvironment environment, TimeProvider time)
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan KillBound = TimeSpan.FromSeconds(10);

    internal async Task<Drill> RunAsync(IProcessTier tier)
    {
        var at = time.GetUtcNow();
        try
        {
            var elapsed = await KillTreeAsync(tier);
            return new(tier.Name, at, Passed: true, elapsed, Problem: null, Advice: null);
        }
        catch (Exception problem) when (problem is IOException or TimeoutException or UnauthorizedAccessException)
        {
            return new(tier.Name, at, Passed: false, Elapsed: null, problem.Message, TierAdvice.For(tier.Name));
        }
    }

    private async Task<TimeSpan> KillTreeAsync(IProcessTier tier)
    {
        var mark = Guid.CreateVersion7(time.GetUtcNow());
        await using var tree = await tier.StartAsync(
            new(
                program.File,
                [.. program.Arguments, DrillProcess.Verb],
                environment.ForWorker(mark),
                Path.GetTempPath(),
                mark
            )
        );
        try
        {
            var stands = new byte[1];
            if (await tree.FromWorker.ReadAsync(stands).AsTask().WaitAsync(StartBound, time) == 0)
            {
                throw new IOException($"The drill's worker ended at once: {await ErrorsOf(tree)}");
            }
            var members = tree.Members();
            if (members.Count < 2)
            {
                throw new IOException("The processes of the drill cannot be seen.");
            }
            var since = time.GetTimestamp();
            tree.Kill();
            await tree.Gone.WaitAsync(KillBound, time);
            var elapsed = time.GetElapsedTime(since);
            // The tier's word is one thing, what is there is another.
            return members.Count(IsAlive) is > 0 and var alive
                ? throw new IOException($"{alive} of {members.Count} processes of the drill survived.")
                : elapsed;
        }
        finally
        {
            tree.Kill();
        }
    }

    private static bool IsAlive(ProcessRecord process) =>
        ProcFs.Read(process.Pid) is { IsDead: false } entry && entry.StartTime == process.StartTime;

    private async Task<string> ErrorsOf(ProcessTree tree)
    {
        using var reader = new StreamReader(tree.Stderr, leaveOpen: true);
        var buffer = new char[500];
        var count = await reader.ReadAsync(buffer).AsTask().WaitAsync(KillBound, time);
        return count == 0 ? "it said nothing" : new string(buffer, 0, count).Trim();
    }
}
