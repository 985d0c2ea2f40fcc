using System.Reflection;
using JobHost.Execution.Processes;

namespace JobHost.Hosting;

/// <summary>Finds the program that workers are: the one that runs now, so host and worker never differ in version.</summary>
internal static class WorkerPrograms
{
    internal static WorkerProgram Of(WorkerOptions options)
    {
        if (options.File is { } file)
        {
            return new(Path.GetFullPath(file), options.Arguments);
        }
        var self =
            Environment.ProcessPath
            ?? throw new JobConfigurationException("This program's own path is not known. Set JobHost:Worker:File.");
        // Started as `dotnet app.dll`, the program is the host of the assembly.
        return Path.GetFileNameWithoutExtension(self) == "dotnet"
            ? new(self, [Assembly.GetEntryAssembly()!.Location])
            : new(self, []);
    }
}
