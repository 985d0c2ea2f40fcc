using System.Text.Json;
using JobHost.Execution.Output;
using JobHost.Jobs;
using JobHost.Runs;
using Microsoft.Extensions.Logging;

namespace JobHost.Execution.Stacks;

/// <summary>Keeps, with a run that is about to be forced, where it was. Never keeps force waiting for longer than its bound.</summary>
internal sealed class Autopsies(RunStacks stacks, RunFolders folders, TimeProvider time, ILogger<Autopsies> logger)
{
    /// <summary>How long force waits for it at most.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    // What the kernel knows is read first, and is kept also when the rest takes too long.
    private static readonly TimeSpan ManagedBound = TimeSpan.FromSeconds(1.5);

    /// <summary>Takes one.</summary>
    /// <returns>Whether it was kept in time.</returns>
    internal async Task<bool> TakeAsync(Run run, JobDefinition job, RunExecution execution)
    {
        var taking = Task.Run(() => TryKeepAsync(run, job, execution));
        try
        {
            return await taking.WaitAsync(Bound, time);
        }
        catch (TimeoutException)
        {
            logger.AutopsyTooSlow(run.Id, Bound);
            return false;
        }
    }

    /// <summary>What was kept of a run, or null.</summary>
    internal async Task<StackView?> FindAsync(RunId id)
    {
        try
        {
            await using var file = File.OpenRead(folders.Autopsy(id));
            return await JsonSerializer.DeserializeAsync(file, StackJson.Default.StackView);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private async Task<bool> TryKeepAsync(Run run, JobDefinition job, RunExecution execution)
    {
        try
        {
            var view = await stacks.TakeAsync(run, job, execution, ManagedBound);
            var path = folders.Autopsy(run.Id);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // Whole or not at all.
            await File.WriteAllBytesAsync(
                $"{path}.new",
                JsonSerializer.SerializeToUtf8Bytes(view, StackJson.Default.StackView)
            );
            File.Move($"{path}.new", path, overwrite: true);
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            logger.AutopsyNotKept(run.Id, problem);
            return false;
        }
    }
}

internal static partial class AutopsiesLog
{
    [LoggerMessage(
        420,
        LogLevel.Warning,
        "Run {RunId}: the autopsy took longer than {Bound}; the run is forced without."
    )]
    internal static partial void AutopsyTooSlow(this ILogger logger, RunId runId, TimeSpan bound);

    [LoggerMessage(421, LogLevel.Warning, "Run {RunId}: the autopsy could not be kept.")]
    internal static partial void AutopsyNotKept(this ILogger logger, RunId runId, Exception problem);
}
