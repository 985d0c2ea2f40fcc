namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Opens files until it may open no more, and stays.</summary>
internal sealed class ProcessOpensFilesJob : IThreadJob<LifeParameters>
{
    public object? Run(LifeParameters parameters, JobContext context, CancellationToken cancellationToken)
    {
        var files = new List<FileStream>();
        try
        {
            while (true)
            {
                files.Add(File.OpenRead("/dev/null"));
            }
        }
        catch (IOException)
        {
            using var marker = new Marker(parameters.Marker);
            Stay.Until(new Bound(parameters.Seconds), marker);
            return files.Count;
        }
    }
}
