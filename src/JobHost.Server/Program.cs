using JobHost.Samples;
using JobHost.Server;

return await JobHostServer.RunAsync(
    args,
    (jobs, configuration) =>
    {
        if (configuration.GetValue("JobHost:Samples", defaultValue: true))
        {
            jobs.AddSamples();
        }
    }
);
