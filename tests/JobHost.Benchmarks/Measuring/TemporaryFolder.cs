namespace JobHost.Benchmarks.Measuring;

/// <summary>A folder for the data of servers, removed in the end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("jobhost-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
