using System.Globalization;
using JobHost.Worker.Main;
using Microsoft.Win32.SafeHandles;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>The worker's end of its channel to the host, which is no business of a job.</summary>
internal static class WorkerDescriptor
{
    /// <summary>The descriptor to write to, which is 3 where the host has a choice, as the worker was told.</summary>
    /// <exception cref="InvalidOperationException">This process is no worker: the number would be somebody else's file.</exception>
    internal static SafeFileHandle Take(bool ownsHandle)
    {
        var arguments = Environment.GetCommandLineArgs();
        var verb = Array.FindIndex(arguments, argument => argument is WorkerProcess.Verb or LaneProcess.Verb);
        return verb >= 0 && verb + 2 < arguments.Length
            ? new(nint.Parse(arguments[verb + 2], CultureInfo.InvariantCulture), ownsHandle)
            : throw new InvalidOperationException("This job runs in a worker only.");
    }
}
