namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Leaves a file in the folder of its run, which must be its own and must go with the run's record.</summary>
internal sealed class ProcessDirectoryJob : IThreadJob<NoParameters>
{
    public object? Run(NoParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        var file = Path.Join(context.WorkingDirectory, "left-behind.txt");
        File.WriteAllText(file, $"{context.RunId}");
        return new
        {
            context.WorkingDirectory,
            CurrentDirectory = Environment.CurrentDirectory,
            File = file,
        };
    }
}
