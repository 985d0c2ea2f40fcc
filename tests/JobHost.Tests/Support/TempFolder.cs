namespace JobHost.Tests.Support;

/// <summary>A folder of one test; gone with it.</summary>
internal sealed class TempFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("jobhost-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
