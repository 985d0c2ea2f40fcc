using System.Runtime.CompilerServices;
using System.Text;
using JobHost.Tests.Support;

[assembly: AssemblyFixture(typeof(JobHost.Server.Tests.Support.Leaks))]

namespace JobHost.Server.Tests.Support;

/// <summary>
/// The test run's own promise: what it starts is gone when it ends. Everything that descends from this process carries its
/// temporary folder in the environment, which is how it is found.
/// </summary>
public sealed class Leaks : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    /// <summary>The folder of this test run; every data directory is below it.</summary>
    public static string Folder { get; } = Path.Combine(Path.GetTempPath(), $"jobhost-tests-{Guid.NewGuid():N}");

    [ModuleInitializer]
    internal static void MarkDescendants()
    {
        Directory.CreateDirectory(Folder);
        Environment.SetEnvironmentVariable("TMPDIR", Folder);
        // None of them lives long enough to gain from code that is compiled again for speed.
        Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
        Environment.SetEnvironmentVariable("DOTNET_TC_CallCounting", "0");
        // Nor do they run code of others, from which pages that are never both writable and executable would protect.
        Environment.SetEnvironmentVariable("DOTNET_EnableWriteXorExecute", "0");
    }

    public void Dispose()
    {
        PostgresServer.End();
        var survivors = Survivors();
        for (
            var until = DateTime.UtcNow + Bound;
            survivors.Count > 0 && DateTime.UtcNow < until;
            survivors = Survivors()
        )
        {
            Thread.Sleep(50);
        }
        Directory.Delete(Folder, recursive: true);
        Assert.True(survivors.Count == 0, $"The test run left processes behind: {string.Join("; ", survivors)}");
    }

    /// <summary>The living processes that carry the mark, this one left out.</summary>
    public static IReadOnlyList<string> Survivors()
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }
        var mark = Encoding.UTF8.GetBytes($"TMPDIR={Folder}");
        var found = new List<string>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (
                    int.TryParse(Path.GetFileName(path), out var pid)
                    && pid != Environment.ProcessId
                    && File.ReadAllBytes($"{path}/environ").AsSpan().IndexOf(mark) >= 0
                )
                {
                    found.Add($"{pid} {File.ReadAllText($"{path}/cmdline").Replace('\0', ' ')}");
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or is not ours.
            }
        }
        return found;
    }
}
