using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

public sealed class MainJobTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 30_000)]
    public async Task A_run_that_returns_has_succeeded_with_its_result()
    {
        var run = await api.RunAsync("result");

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Object, run.GetProperty("result").ValueKind);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_worker_runs_the_same_class_in_a_process_of_its_own()
    {
        var run = await api.RunAsync("p-result");

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.NotEqual(Environment.ProcessId, run.GetProperty("processId").GetInt32());
    }
}
