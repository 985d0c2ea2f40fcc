namespace JobHost.Server.Tests.Support;

/// <summary>
/// A server of its own process for a class of tests: for jobs that would harm the tests' process, and for looks at what a
/// server keeps.
/// </summary>
public sealed class OwnServer : IAsyncLifetime
{
    public ServerProcess Process { get; private set; } = null!;

    public ApiClient Api => Process.Api;

    public async ValueTask InitializeAsync() => Process = await ServerProcess.StartAsync();

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
