using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The OpenAPI document as others see it: linters, clients that are generated from it, and whoever built on it yesterday.</summary>
public sealed class ContractTests(ContractTests.Server server) : IClassFixture<ContractTests.Server>
{
    private const string Accept = "JOBHOST_ACCEPT_CONTRACT";

    private readonly ApiClient api = server.Process.Api;

    [Fact(Timeout = 120_000)]
    public async Task The_contract_has_not_changed_unnoticed()
    {
        var now = CanonicalJson.Of(await DocumentAsync());
        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            await File.WriteAllTextAsync(NodeTools.Snapshot, now, ApiClient.Token);
            return;
        }
        var before = await File.ReadAllTextAsync(NodeTools.Snapshot, ApiClient.Token);

        Assert.True(
            now == before,
            $"""
            The API is no longer what {NodeTools.Snapshot} says it is. What is new is marked with +, what is gone with -:
            {CanonicalJson.Differences(before, now)}
            Clients are built on it. If the change is meant, and nothing is gone that clients use, accept it: run this test with
            {Accept}=1 in the environment, which writes the file anew, and commit the file with the change.
            """
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Spectral_finds_nothing_in_it()
    {
        NodeTools.Need();
        var file = await SavedAsync();

        var (exitCode, output, errors) = await NodeTools.RunAsync(
            NodeTools.Folder,
            "spectral",
            "lint",
            file,
            "--ruleset",
            ".spectral.yaml",
            "--fail-severity",
            "hint",
            "--display-only-failures"
        );

        Assert.True(exitCode == 0, $"{output}{errors}");
        Assert.Contains("No results", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Redocly_finds_nothing_in_it()
    {
        NodeTools.Need();
        var file = await SavedAsync();

        var (exitCode, output, errors) = await NodeTools.RunAsync(
            NodeTools.Folder,
            "redocly",
            "lint",
            file,
            "--config",
            "redocly.yaml",
            "--format",
            "json"
        );

        Assert.True(exitCode == 0, $"{output}{errors}");
        var totals = JsonElement.Parse(output).GetProperty("totals");
        Assert.Equal(
            "0 0 0",
            $"{totals.GetProperty("errors")} {totals.GetProperty("warnings")} {totals.GetProperty("ignored")}"
        );
    }

    [Fact(Timeout = 240_000)]
    public async Task A_TypeScript_client_that_is_generated_from_it_compiles_and_works()
    {
        NodeTools.Need();
        var folder = Directory.CreateDirectory(ServerProcess.NewDataDirectory()).FullName;
        foreach (var name in new[] { "package.json", "tsconfig.json", "client.ts" })
        {
            File.Copy(Path.Combine(NodeTools.Folder, name), Path.Combine(folder, name));
        }
        Directory.CreateSymbolicLink(Path.Combine(folder, "node_modules"), NodeTools.Modules);

        IsGood(await NodeTools.RunAsync(folder, "openapi-typescript", await SavedAsync(), "--output", "api.d.ts"));
        IsGood(await NodeTools.RunAsync(folder, "tsc", "--project", "."));
        var client = Path.Combine("out", "client.js");
        var said = IsGood(await NodeTools.RunScriptAsync(folder, client, $"{server.Process.Address}".TrimEnd('/')));

        Assert.Equal("all is as the document says", said.Trim());
    }

    private static string IsGood((int ExitCode, string Output, string Errors) ended)
    {
        Assert.True(ended.ExitCode == 0, $"{ended.Output}{ended.Errors}");
        return ended.Output;
    }

    private async Task<string> SavedAsync()
    {
        var file = $"{ServerProcess.NewDataDirectory()}.json";
        await File.WriteAllTextAsync(file, (await DocumentAsync()).GetRawText(), ApiClient.Token);
        return file;
    }

    private async Task<JsonElement> DocumentAsync() => (await api.FetchAsync("/openapi/v1.json")).Expect(200);

    /// <summary>The program as users start it: the client needs its samples.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Process = await ServerProcess.StartAsync(program: ServerProcess.Server);

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
