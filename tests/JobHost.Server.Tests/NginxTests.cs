using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The repository's own nginx.conf before a real server.</summary>
public sealed class NginxTests : IAsyncLifetime
{
    private readonly string folder = ServerProcess.NewDataDirectory();
    private ServerProcess? server;
    private Process? nginx;
    private ApiClient api = null!;

    public async ValueTask InitializeAsync()
    {
        var program = Needs.Program("nginx");
        server = await ServerProcess.StartAsync(settings: ["--JobHost:Proxy:KnownNetworks:0", "127.0.0.0/8"]);
        var port = FreePort();
        var configuration = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "deploy", "nginx.conf"),
            ApiClient.Token
        );
        configuration = Replaced(configuration, "listen 80;", $"listen 127.0.0.1:{port};");
        configuration = Replaced(configuration, "server jobhost:8080;", $"server 127.0.0.1:{server.Address.Port};");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, configuration, ApiClient.Token);
        nginx = Process.Start(program, ["-p", folder, "-c", file, "-g", "daemon off;"]);
        api = new(new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(1) });
        await UntilListeningAsync(port);
    }

    public async ValueTask DisposeAsync()
    {
        if (nginx is not null)
        {
            using (var stop = Process.Start("/bin/kill", ["-TERM", $"{nginx.Id}"]))
            {
                await stop.WaitForExitAsync(CancellationToken.None);
            }
            await nginx.WaitForExitAsync(CancellationToken.None);
            nginx.Dispose();
            api.Client.Dispose();
        }
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task The_API_works_through_the_proxy_and_links_point_back_to_it()
    {
        var (status, body) = await api.PostAsync("/jobs/result/runs", null, ("Prefer", "wait=20"));

        Assert.Equal(HttpStatusCode.OK, status);
        var self = body.GetProperty("links").GetProperty("self").GetString()!;
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync(self, ApiClient.Token)).StatusCode);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_clients_address_comes_from_the_proxy_and_cannot_be_forged()
    {
        var id = await api.StartAsync("ignores", new { seconds = 30 });
        var (status, _) = await api.PostAsync(
            $"/runs/{id}/cancel",
            null,
            ("X-Forwarded-For", "203.0.113.9"),
            ("Forwarded", "for=203.0.113.9")
        );

        Assert.Equal(HttpStatusCode.Accepted, status);
        var request = Assert.Single((await api.TerminationAsync(id)).GetProperty("requests").EnumerateArray());
        Assert.Equal("anonymous from 127.0.0.1", request.GetProperty("by").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_followed_log_arrives_line_by_line_while_the_run_goes_on()
    {
        var id = await api.StartAsync("talks", new { seconds = 50 });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/runs/{id}/logs?follow=true");
        using var response = await api.Client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            ApiClient.Token
        );
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(ApiClient.Token));

        var first = await lines.ReadLineAsync(ApiClient.Token);
        var second = await lines.ReadLineAsync(ApiClient.Token);

        Assert.EndsWith("line 1", first, StringComparison.Ordinal);
        Assert.EndsWith("line 2", second, StringComparison.Ordinal);
        Assert.True(ApiClient.Is(await api.GetRunAsync(id), "running"));
        await api.CancelAsync(id);
        Assert.True(ApiClient.Is(await api.EndAsync(id), "cancelled"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_body_that_is_too_large_gets_the_services_own_problem()
    {
        var answer = await api.PostAsync(
            "/jobs/result/runs",
            new { parameters = new { text = new string('x', 100_000) } }
        );

        ApiClient.IsProblem(answer, 413, "body-too-large");
        Assert.Equal(JsonValueKind.Object, answer.Body.ValueKind);
    }

    private static string Replaced(string text, string old, string @new)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, @new, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task UntilListeningAsync(int port)
    {
        while (true)
        {
            Assert.False(nginx!.HasExited, "nginx did not start.");
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port, ApiClient.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(20, ApiClient.Token);
            }
        }
    }
}
