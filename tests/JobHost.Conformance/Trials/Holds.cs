using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>What keeps victims from dying, under the suite's control: a frozen file system, a frozen cgroup.</summary>
internal sealed class Holds(FrozenFileSystem? fileSystem)
{
    private const int Tries = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Takes hold of a victim that does not do so itself, now that it is in place.</summary>
    internal async Task TakeAsync(Victim victim)
    {
        if (victim.Body == VictimCatalogue.Writer)
        {
            await fileSystem!.FreezeAsync();
        }
    }

    /// <summary>Lets go, so that it can die.</summary>
    internal async Task ReleaseAsync(Victim victim, string token)
    {
        if (victim.Body == VictimCatalogue.Writer)
        {
            await fileSystem!.ThawAsync();
        }
        foreach (var folder in Cgroups(victim, token))
        {
            var state = Path.Combine(folder, "freezer.state");
            if (File.Exists(state))
            {
                await File.WriteAllTextAsync(state, "THAWED");
            }
        }
    }

    /// <summary>Removes the cgroups that a victim made, once they are empty.</summary>
    internal async Task RemoveAsync(Victim victim, string token)
    {
        await ReleaseAsync(victim, token);
        foreach (var folder in Cgroups(victim, token))
        {
            for (var i = 0; i < Tries && Directory.Exists(folder); i++)
            {
                try
                {
                    Directory.Delete(folder);
                }
                catch (IOException)
                {
                    // Its last process has not been taken off the books yet.
                    await Task.Delay(Pause);
                }
            }
        }
    }

    private static List<string> Cgroups(Victim victim, string token) =>
        victim.NeedsRootAnd is { } mount && victim.Body != VictimCatalogue.Writer && Directory.Exists(mount)
            ? [.. Directory.EnumerateDirectories(mount, token, new EnumerationOptions { RecurseSubdirectories = true })]
            : [];
}
