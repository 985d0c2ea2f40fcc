using System.ComponentModel;
using System.Diagnostics;
using JobHost.Worker.Native;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Forbids its worker to start processes, as a worker does that ends, and tells what can be started then.</summary>
internal static class ProcessBannedJob
{
    internal static object Run()
    {
        var before = CanStart();
        var imposed = ForkBan.TryImpose();
        var thread = new Thread(() => { });
        thread.Start();
        thread.Join();
        return new
        {
            before,
            imposed,
            after = CanStart(),
            // On all threads, and not only on the one that has imposed it.
            afterElsewhere = Task.Run(CanStart).Result,
        };
    }

    private static bool CanStart()
    {
        try
        {
            using var process = Process.Start("/bin/true");
            process.WaitForExit();
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
