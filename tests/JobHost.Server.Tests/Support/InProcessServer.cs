using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.Mvc.Testing.Handlers;

namespace JobHost.Server.Tests.Support;

/// <summary>The whole server in the test's own process, with the misbehaving jobs. Workers are the test host's program.</summary>
public class InProcessServer : WebApplicationFactory<TestHost.EntryPoint>
{
    private readonly Dictionary<string, string> settings;

    public InProcessServer()
        : this([]) { }

    internal InProcessServer(Dictionary<string, string> settings)
    {
        this.settings = settings;
        DataDirectory = Path.Combine(Leaks.Folder, Guid.NewGuid().ToString("N"));
        Api = new(CreateDefaultClient(new RedirectHandler(), new ContractHandler()));
    }

    public string DataDirectory { get; }

    public ApiClient Api { get; }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("JobHost:DataDirectory", DataDirectory);
        builder.UseSetting("JobHost:Worker:File", ServerProcess.TestHost);
        builder.UseSetting("JobHost:Worker:MinIdle", ServerProcess.IdleWorkers);
        builder.UseSetting("JobHost:Worker:MaxIdle", ServerProcess.IdleWorkers);
        // The test run starts other programs, too.
        builder.UseSetting("JobHost:Kill:AdoptOrphans", "false");
        builder.UseSetting("JobHost:Shielded", "false");
        foreach (var (key, value) in TestStorage.SettingsOf(DataDirectory))
        {
            builder.UseSetting(key, value);
        }
        builder.UseSetting("Serilog:WriteTo:0:Name", "File");
        builder.UseSetting("Serilog:WriteTo:0:Args:path", Path.Combine(DataDirectory, "server.log"));
        foreach (var (key, value) in settings)
        {
            builder.UseSetting(key, value);
        }
    }
}
