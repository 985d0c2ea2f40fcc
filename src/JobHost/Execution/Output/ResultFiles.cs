using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Execution.Output;

/// <summary>Results that are too large for a run's record.</summary>
internal static class ResultFiles
{
    /// <summary>Looks whether the result that an attempt is said to have left is there; without it the attempt has failed.</summary>
    internal static ExecutionEnd Checked(ExecutionEnd end, RunFolders folders, RunId run)
    {
        if (end.ResultFileBytes is not { } said)
        {
            return end;
        }
        using var file = RunFileReader.Open(folders.Folder(run), [Path.GetFileName(folders.Result(run))]);
        if (file is not null && file.Length == said && said <= BodyOutcome.MaxResultBytes)
        {
            if (OperatingSystem.IsLinux())
            {
                // On disk before the record that tells of it, whatever the worker did.
                RandomAccess.FlushToDisk(file.SafeFileHandle);
            }
            return end;
        }
        return end with
        {
            Ending = BodyEnding.Failed,
            ResultFileBytes = null,
            Error = new(
                "result-lost",
                "The job ran to its end, but its result is not there as it was said to be.",
                null
            ),
        };
    }
}
