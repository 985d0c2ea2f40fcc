using System.Globalization;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Tells which descriptors are open in it: none of the host's files and sockets must be among them.</summary>
internal sealed class ProcessDescriptorsJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new Skipped("/proc is needed.");
        }
        // Listed to the end first: the listing's own descriptor is closed then, and has no target any more.
        return Directory
            .GetFileSystemEntries("/proc/self/fd")
            .Select(path => new
            {
                Fd = int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture),
                Target = new FileInfo(path).LinkTarget,
            })
            .Where(descriptor => descriptor.Target is not null)
            .OrderBy(descriptor => descriptor.Fd)
            .ToList();
    }
}
