using JobHost.Execution.Output;

namespace JobHost.Execution.Limits;

/// <summary>
/// How much a run has left in its folder for artifacts. A look costs as much as there are files, so that one that took long is
/// not repeated soon: looking takes a tenth of the time at most.
/// </summary>
internal sealed class ArtifactMeter(string folder, TimeProvider time)
{
    private const int Rest = 10;

    private long lookedAt;
    private TimeSpan pause;

    /// <summary>Whether there is more than so much.</summary>
    /// <param name="most">So much.</param>
    /// <param name="isLast">Whether it has to be known now.</param>
    internal bool Exceeds(long most, bool isLast)
    {
        if (!isLast && time.GetElapsedTime(lookedAt) < pause)
        {
            return false;
        }
        var since = time.GetTimestamp();
        var found = 0L;
        foreach (var path in RunFileReader.Files(folder, Artifacts.MaxDepth))
        {
            using var file = RunFileReader.Open(folder, path);
            found += file?.Length ?? 0;
            if (found > most)
            {
                return true;
            }
        }
        lookedAt = time.GetTimestamp();
        pause = time.GetElapsedTime(since) * Rest;
        return false;
    }
}
