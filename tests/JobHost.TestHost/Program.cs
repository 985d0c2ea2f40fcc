using JobHost.Server;
using JobHost.TestHost.Jobs;

return await JobHostServer.RunAsync(
    args,
    (jobs, _) =>
    {
        HangingRegistration.HangIfAsked();
        jobs.AddMisbehaving();
    }
);
