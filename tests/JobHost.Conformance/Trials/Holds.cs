using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>What victims build around themselves and the suite takes down again.</summary>
internal static class Holds
{
    private const int ErrorTries = 200;

    /// <summary>Lets go of what the freezer holds, so that it can die.</summary>
    internal static async Task ReleaseAsync(Victim victim, string token)
    {
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
    internal static async Task RemoveAsync(Victim victim, string token)
    {
        await ReleaseAsync(victim, token);
        foreach (var folder in Cgroups(victim, token))
        {
            for (var i = 0; i < ErrorTries && Directory.Exists(folder); i++)
            {
                try
                {
                    Directory.Delete(folder);
                }
                catch (IOException)
                {
                    // Its last process has not been taken off the books yet.
                    await Task.Delay(TimeSpan.FromMilliseconds(10));
                }
            }
        }
    }

    private static IEnumerable<string> Cgroups(Victim victim, string token) =>
        victim.NeedsRootAnd is { } mount && Directory.Exists(mount)
            ? Directory.EnumerateDirectories(mount, token, new EnumerationOptions { RecurseSubdirectories = true })
            : [];
}
